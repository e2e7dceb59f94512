"""A machine that brings its own kernel as a program: what a worker asks of that kernel, shown on the machine itself."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.host import PACKAGES
from lab.leaks import leaks
from lab.machines.uml import check_memory, uml_command
from lab.machines.uml_kernel import missing_options, sources_list
from lab.rack import RackError, load_rack
from tests.lab.test_one_machine import RACK, Lab

GIB = 1024**3


def test_it_has_the_processors_and_memory_of_its_description() -> None:
    rack = load_rack("dev")
    words = uml_command(rack, rack.machine("chick2"), Path("/linux"))
    assert words[0] == "/linux"
    assert {"ncpus=2", "mem=3G", "seccomp=on"} <= set(words)


def test_options_that_the_source_dropped_are_named() -> None:
    wanted = "# CONFIG_OLD=y is history\nCONFIG_NET=y\nCONFIG_GONE=y\n"
    assert missing_options(wanted, "CONFIG_NET=y\n# CONFIG_GONE is not set\n") == ["CONFIG_GONE=y"]


def test_the_source_is_a_backport_with_debians_signature() -> None:
    line = sources_list("http://deb.example/debian")
    assert re.fullmatch(
        r"deb \[signed-by=\S+ check-valid-until=no\] http://deb.example/debian \w+-backports main\n", line
    )


def test_the_rack_installs_what_the_kernels_build_runs() -> None:
    assert {"bc", "bison", "flex", "gcc", "kmod", "libc6-dev", "make", "patch", "xz-utils"} <= PACKAGES.keys()


@pytest.mark.parametrize(
    ("needed", "free", "executable", "message"),
    [
        (GIB, 2 * GIB, False, "mount -o remount,exec /dev/shm"),
        (3 * GIB, 2 * GIB, True, "/dev/shm has 2048 MiB free, and the machine's memory takes up to 3072 MiB of it"),
    ],
)
def test_memory_that_cannot_be_had(needed: int, free: int, executable: bool, message: str) -> None:
    with pytest.raises(RackError) as error:
        check_memory(needed, free, executable)
    assert message in str(error.value)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    directory = tmp_path_factory.mktemp("uml")
    file = directory / f"uml-{os.getpid() % 100000}.toml"
    file.write_text(RACK.replace('"nspawn"', '"uml"') + "cpus = 2\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HENHOUSE_STATE", str(directory))
        found = Lab(file)
        try:
            found("up")
            yield found
        finally:
            found("down")
        assert leaks(found.rack) == ()


@pytest.mark.hosts
def test_it_boots_with_nothing_failed(up: Lab) -> None:
    assert json.loads(up("status", "--json"))["machines"][0]["state"] == "on"
    assert up("ssh", "one", "systemctl --failed --no-legend") == ""
    assert up("ssh", "one", "nproc") == "2\n"


@pytest.mark.hosts
def test_it_has_what_kubeadm_and_the_kubelet_look_for(up: Lab) -> None:
    """Control groups of version 2 with every controller that kubeadm requires; a clock speed, or cAdvisor exits."""
    controllers = up("ssh", "one", "cat /sys/fs/cgroup/cgroup.controllers").split()
    assert {"cpu", "cpuset", "io", "memory", "pids"} <= set(controllers)
    assert float(up("ssh", "one", "sed -n 's/^cpu MHz.*: //p;T;q' /proc/cpuinfo")) > 100
    up("ssh", "one", "modprobe --all overlay br_netfilter nf_tables vxlan && ! modprobe --quiet no_such_module")


@pytest.mark.hosts
def test_it_is_a_client_and_a_server_of_nfs(up: Lab) -> None:
    assert {"nfs4", "nfsd", "overlay"} <= {
        line.split()[-1] for line in up("ssh", "one", "cat /proc/filesystems").splitlines()
    }


@pytest.mark.hosts
def test_a_control_groups_program_decides_about_devices(up: Lab) -> None:
    """runc attaches such a program to every container; systemd does it for a unit."""
    read = "dd if=/dev/ubda of=/dev/null count=1 status=none"
    up("ssh", "one", f"systemd-run --quiet --wait {read}")
    refused = up("ssh", "one", f"! systemd-run --quiet --wait --pipe -p DevicePolicy=closed {read} 2>&1")
    assert "Operation not permitted" in refused


@pytest.mark.hosts
def test_a_memory_limit_kills_inside_its_group_only(up: Lab) -> None:
    words = "systemd-run --quiet --wait -p MemoryMax=32M -p MemorySwapMax=0 python3 -c 'bytearray(128 << 20)'"
    assert "oom-kill" in up(
        "ssh", "one", f"! {words} && systemctl --failed --no-legend; journalctl -b -o cat | grep oom-kill"
    )


@pytest.mark.hosts
def test_layers_lie_over_one_another(up: Lab) -> None:
    script = """
    set -e
    cd "$(mktemp -d)" && mkdir lower upper work merged && echo below >lower/file
    mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
    echo above >merged/file && cat lower/file upper/file
    umount merged
    """
    assert up("ssh", "one", script) == "below\nabove\n"


@pytest.mark.hosts
def test_a_power_cut_keeps_what_was_written(up: Lab) -> None:
    up("ssh", "one", "echo kept >/root/kept && sync")
    boot = up("ssh", "one", "cat /proc/sys/kernel/random/boot_id")
    up("power", "cut")
    up("power", "on")
    assert up("ssh", "one", "cat /root/kept") == "kept\n"
    assert up("ssh", "one", "cat /proc/sys/kernel/random/boot_id") != boot


@pytest.mark.hosts
def test_it_reboots_from_within(up: Lab) -> None:
    boot = "cat /proc/sys/kernel/random/boot_id"
    before = up("ssh", "one", boot)
    up("ssh", "one", "systemctl --no-block reboot")
    deadline = time.monotonic() + 60
    while (now := _asked(up, boot)) in ("", before):
        assert time.monotonic() < deadline, (up.rack.machine_state(up.rack.machine("one")) / "console").read_text()
        time.sleep(0.2)
    assert re.fullmatch(r"[0-9a-f-]{36}\n", now)


def _asked(up: Lab, command: str) -> str:
    """Return what the machine answers; nothing while it cannot answer."""
    words = up.command("ssh", "one", command)
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60).stdout


@pytest.mark.hosts
def test_the_process_id_of_a_run_that_ended_may_belong_to_another_program(up: Lab) -> None:
    directory = up.rack.machine_state(up.rack.machine("one"))
    up("power", "cut")
    (directory / "one" / "pid").write_text(f"{os.getpid()}\n")
    up("power", "on")
    assert "already in use" not in (directory / "console").read_text(errors="replace")
    assert [path.name for path in directory.iterdir() if path.is_dir()] == ["one"]
