"""A rack of one machine, through everything that can be done to a rack."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.keys import ADMINISTRATOR, public_key
from lab.leaks import leaks
from lab.machines.nspawn import link
from lab.rack import Rack, load_rack

pytestmark = pytest.mark.hosts

RACK = """
[campus]
interface = "198.18.0.1/19"
gateway = "one"

[machines.one]
kind = "nspawn"
address = "198.18.0.2"
memory = "1G"
"""


class Lab:
    """``python -m lab`` for a rack of this test's own."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def rack(self) -> Rack:
        return load_rack(str(self.file))

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "lab", "--rack", str(self.file), *words]

    def __call__(self, *words: str) -> str:
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    directory = tmp_path_factory.mktemp("lab")
    file = directory / f"t{os.getpid() % 100000}.toml"
    file.write_text(RACK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HENHOUSE_STATE", str(directory))
        found = Lab(file)
        yield found
        found("down")


@pytest.fixture
def up(lab: Lab) -> Lab:
    lab("up")
    return lab


def test_it_boots_with_nothing_failed_and_ssh_pinned(up: Lab) -> None:
    status = json.loads(up("status", "--json"))
    assert [(machine["name"], machine["state"]) for machine in status["machines"]] == [("one", "on")]
    assert up("ssh", "one", "cat", "/etc/hostname") == "one\n"
    assert up("ssh", "one", "systemctl --failed --no-legend") == ""


def test_it_is_a_kubernetes_nodes_kernel(up: Lab) -> None:
    """Writable control groups of its own, a private sysctl, modprobe that knows what there is, the kernel's log."""
    before = Path("/proc/sys/vm/overcommit_memory").read_text()
    script = """
    set -e
    if [ -d /sys/fs/cgroup/memory ]; then group=/sys/fs/cgroup/memory/probe; else group=/sys/fs/cgroup/probe; fi
    mkdir $group && rmdir $group
    sysctl -q -w vm.overcommit_memory=2 net.ipv4.ip_forward=1
    modprobe overlay && ! modprobe --quiet no_such_module
    test -r /dev/kmsg
    findmnt --noheadings --output PROPAGATION /
    """
    assert up("ssh", "one", script).strip() == "shared"
    assert Path("/proc/sys/vm/overcommit_memory").read_text() == before


def test_exec_runs_in_the_racks_network_with_the_racks_agent(up: Lab) -> None:
    assert "198.18.0.1/19" in up("exec", "--", "ip", "-brief", "address", "show", "sw0")
    assert public_key(ADMINISTRATOR) in up("exec", "--", "ssh-add", "-L")


def test_power_cut_keeps_what_was_written(up: Lab) -> None:
    up("ssh", "one", "echo kept >/root/kept && sync")
    up("power", "cut", "one")
    # The kernel may still hold the cable's end when the power is back.
    cable = link(up.rack, up.rack.machine("one"))
    up("exec", "--", "ip", "link", "add", cable, "type", "veth", "peer", "name", "left-behind")
    down = subprocess.run(up.command("status", "--json"), capture_output=True, text=True, check=False)
    assert down.returncode == 3
    assert json.loads(down.stdout)["machines"][0]["state"] == "off"
    up("power", "on")
    assert up("ssh", "one", "cat /root/kept") == "kept\n"


def test_reinstalled_machine_is_another_installation_at_the_same_address(up: Lab) -> None:
    before = up("ssh", "one", "cat /etc/machine-id")
    up("ssh", "one", "touch /root/lost && sync")
    up("reinstall", "one")
    # It answers with the key that is pinned.
    assert up("ssh", "one", "cat /etc/machine-id") != before
    assert up("ssh", "one", "ls /root; systemctl --failed --no-legend") == ""


def test_second_up_restarts_only_what_is_down(up: Lab) -> None:
    boot = up("ssh", "one", "cat /proc/sys/kernel/random/boot_id")
    up("up")
    assert up("ssh", "one", "cat /proc/sys/kernel/random/boot_id") == boot
    up("power", "off")
    up("up")
    assert up("ssh", "one", "cat /proc/sys/kernel/random/boot_id") != boot


def test_down_leaves_nothing_even_of_programs_run_inside(up: Lab) -> None:
    guest = subprocess.Popen(up.command("exec", "--", "sleep", "600"))
    deadline = time.monotonic() + 30
    while not any("sleep 600" in line for line in leaks(up.rack)) and time.monotonic() < deadline:
        time.sleep(0.1)
    found = "\n".join(leaks(up.rack))
    for kind in ("process", "network namespace", "mount", "control group", "directory"):
        assert kind in found
    up("down")
    assert guest.wait(timeout=10) != 0
    assert leaks(up.rack) == ()
    up("down")


@pytest.mark.parametrize("seconds", [0.7, 1.5, 3.0])
def test_interrupted_up_can_be_resumed_or_taken_down(lab: Lab, seconds: float) -> None:
    lab("down")
    process = subprocess.Popen(lab.command("up"), stderr=subprocess.PIPE, start_new_session=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    lab("up")
    assert lab("ssh", "one", "true") == ""
    lab("down")
    assert leaks(lab.rack) == ()
