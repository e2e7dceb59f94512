"""Network interfaces by the real systemd-networkd: a wrong edit is taken back, also by a boot in the middle of it."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from components.machines.roles import interfaces
from converge.role import Role
from converge.trial import SECONDS
from lab import lifecycle
from lab.machines.nspawn import NspawnMachine
from lab.rack import Rack
from stacks.settings import HostSettings
from tests.converge.scripts import RackShell, site

pytestmark = pytest.mark.official

MACHINE: Final = "chick2"
ADDRESS: Final = "198.18.0.102"
RACK: Final = Rack.model_validate(
    {
        "name": "test-links",
        "campus": {"interface": "198.18.0.1/19", "gateway": MACHINE},
        "machines": [{"name": MACHINE, "kind": "nspawn", "address": ADDRESS, "memory": "1G"}],
    }
)
OWN: Final = {"addresses": [f"{ADDRESS}/19"], "gateway": "198.18.0.1"}
PUBLIC: Final = {"addresses": ["198.19.1.10/24", "198.19.1.11/24"], "mtu": 1400}
INSTALLED: Final = "/etc/systemd/network/10-wired.network"
# A second cable, whose other end is a third.
CABLES: Final = "ip link show eth1 >/dev/null 2>&1 || ip link add eth1 type veth peer name eth2; ip link set eth2 up"


def host(**links: Mapping[str, Any]) -> HostSettings:
    """Return the machine with these interfaces; `host0` is its first, as systemd-nspawn calls it."""
    given = site("dev").hosts[MACHINE].model_dump(mode="json", exclude={"interfaces"})
    return HostSettings.model_validate({**given, "interfaces": links})


def loading(**links: Mapping[str, Any]) -> Role:
    return interfaces.interfaces(MACHINE, host(**links))


def keeping(**links: Mapping[str, Any]) -> Role:
    return interfaces.keeping(MACHINE, host(**links), "test")


@pytest.fixture(scope="module")
def booted() -> Iterator[RackShell]:
    with lifecycle.only_one(RACK):
        try:
            lifecycle.up(RACK)
            yield RackShell(RACK, MACHINE)
        finally:
            lifecycle.down(RACK)


@pytest.fixture
def machine(booted: RackShell) -> RackShell:
    """Provide a machine whose two interfaces are kept."""
    booted.run(CABLES)
    keep(booted, host0=OWN, eth1=PUBLIC)
    return booted


def keep(machine: RackShell, **links: Mapping[str, Any]) -> None:
    """Apply both roles, as the program does."""
    for role in (loading(**links), keeping(**links)):
        answer = machine.apply(role)
        assert answer.status == 0, answer.stderr
        assert machine.check(role).differences == []


def addresses(machine: RackShell, link: str) -> list[str]:
    return machine.run(f"ip -oneline -4 address show dev {link} | awk '{{ print $4 }}'").stdout.split()


def file_of(machine: RackShell, link: str) -> str:
    """Return the file by which networkd configures it."""
    return machine.run(f"networkctl status {link} | sed -n 's/^ *Network File: //p'").stdout.strip()


def until(machine: RackShell, condition: str, seconds: int = 30) -> None:
    """Wait for so long."""
    done = machine.run(f"for try in $(seq {seconds * 5}); do {condition} && exit 0; sleep 0.2; done; exit 1")
    assert done.status == 0, condition


def box() -> NspawnMachine:
    """Return the machine as its rack sees it."""
    return NspawnMachine(RACK, RACK.machine(MACHINE))


def reboot(machine: RackShell) -> None:
    """Cut the power, and switch it on again."""
    lifecycle.power_cut((box(),))
    lifecycle.power_on((box(),))


def test_interfaces_have_what_the_settings_say_now_and_after_a_boot(machine: RackShell) -> None:
    assert addresses(machine, "eth1") == PUBLIC["addresses"]
    assert machine.run("cat /sys/class/net/eth1/mtu").stdout == "1400\n"
    assert machine.run("ip route show default").stdout.startswith("default via 198.18.0.1 dev host0")
    # How it complains about a line of a file: FILE:LINE: ….
    assert machine.run("journalctl --unit=systemd-networkd --quiet --grep='henhouse-[^ ]*:[0-9]+:'").stdout == ""
    reboot(machine)
    machine.run(CABLES)
    until(machine, "ip -4 address show dev eth1 | grep -q 198.19.1.11")
    assert machine.check(loading(host0=OWN, eth1=PUBLIC)).differences == []
    assert machine.check(keeping(host0=OWN, eth1=PUBLIC)).differences == []


def test_wrong_edit_that_cuts_the_machine_off_is_taken_back(machine: RackShell) -> None:
    """The mask is right and the place is wrong: the address that this program uses is on the other cable."""
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        applying = pool.submit(machine.apply, loading(host0=PUBLIC, eth1=OWN))
        while reachable():
            assert time.monotonic() < began + 20, "it was never cut off"
        while not reachable():
            assert time.monotonic() < began + 2 * SECONDS
        assert time.monotonic() < began + SECONDS + 15
        applying.result()
    until(machine, "ip -4 address show dev eth1 | grep -q 198.19.1.11")
    assert addresses(machine, "eth1") == PUBLIC["addresses"]
    answer = machine.apply(keeping(host0=PUBLIC, eth1=OWN))
    assert answer.status != 0
    assert "they were taken back, because they kept this program out" in answer.stderr
    assert machine.check(loading(host0=OWN, eth1=PUBLIC)).differences == []


def reachable() -> bool:
    """Whether anything answers on the machine's SSH port, from the campus."""
    words = ["nsenter", f"--net=/run/netns/{RACK.namespace}", "timeout", "2", "bash", "-c"]
    return subprocess.run([*words, f": </dev/tcp/{ADDRESS}/22"], check=False, capture_output=True).returncode == 0


def test_boot_in_the_middle_of_a_change_brings_what_was_kept(machine: RackShell) -> None:
    """Neither the timer nor the files of the change outlive it."""
    assert machine.apply(loading(host0=OWN, eth1={"addresses": ["198.19.2.10/24"]})).status == 0
    assert addresses(machine, "eth1") == ["198.19.2.10/24"]
    reboot(machine)
    machine.run(CABLES)
    until(machine, "ip -4 address show dev eth1 | grep -q 198.19.1.11")
    answer = machine.apply(keeping(host0=OWN, eth1={"addresses": ["198.19.2.10/24"]}))
    assert answer.status != 0
    assert "the machine was rebooted meanwhile" in answer.stderr


def test_boot_while_the_change_is_kept_brings_one_of_both_whole(machine: RackShell) -> None:
    """What is loaded at boot is named by one link."""
    other = {"addresses": ["198.19.3.10/24"]}
    assert machine.apply(loading(host0=OWN, eth1=other)).status == 0
    machine.run(f"ln -sfn /etc/henhouse/interfaces/of-an-interrupted-role {interfaces.KEPT}.new")
    keep(machine, host0=OWN, eth1=other)
    assert machine.run(f"ls {interfaces.DIRECTORY} | wc -l").stdout == "3\n", "the files, the link to them, the program"


def test_gateway_that_does_not_exist_is_taken_back_at_once(machine: RackShell) -> None:
    answer = machine.apply(loading(host0={**OWN, "gateway": "198.18.31.7"}, eth1=PUBLIC))
    assert answer.status != 0
    assert "the gateway 198.18.31.7 does not answer: the interfaces are again as they were before" in answer.stderr
    assert machine.run("ip route show default").stdout.startswith("default via 198.18.0.1 ")


WATCH: Final = f"""
while networkctl status host0 | grep --quiet {INSTALLED}$; do sleep 0.2; done
until networkctl status host0 | grep --quiet {INSTALLED}$; do sleep 0.2; done
touch /root/back"""


def wait_for(file: Path, seconds: int) -> None:
    """Wait for a file of the machine, without a connection to it."""
    deadline = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < deadline, file
        time.sleep(0.2)


@pytest.mark.parametrize("boot", [False, True])
def test_first_change_is_taken_back_to_what_the_installer_wrote(machine: RackShell, boot: bool) -> None:
    machine.run(f"rm -rf {interfaces.DIRECTORY}; systemctl disable henhouse-interfaces; {FORGET}")
    assert file_of(machine, "host0") == INSTALLED
    machine.run(f"rm -f /root/back; systemd-run --unit=watch -- sh -c '{WATCH}'")
    assert machine.apply(loading(host0=OWN, eth1=PUBLIC)).status == 0
    if boot:
        reboot(machine)
    else:
        # Who stays connected is a reason to wait for the next role.
        wait_for(Path(box().root, "root/back"), SECONDS + 15)
    assert file_of(machine, "host0") == INSTALLED
    assert machine.run("ls /run/systemd/network/ | grep henhouse").stdout == ""


FORGET: Final = "rm /run/systemd/network/04-henhouse-* /run/henhouse-interfaces.*; networkctl reload"


@pytest.mark.parametrize(
    ("links", "said"),
    [
        ({"host0": OWN, "eth7": PUBLIC}, "interface eth7 does not exist: this machine has "),
        ({"host0": {**OWN, "gateway": None}, "eth1": PUBLIC}, "no interface of the settings has a gateway"),
    ],
)
def test_line_that_this_machine_contradicts_is_refused_before_anything_changes(
    machine: RackShell, links: Mapping[str, Any], said: str
) -> None:
    machine.run(f"{FORGET}; rm {interfaces.KEPT}")
    answer = machine.apply(loading(**links))
    assert answer.status != 0
    assert said in answer.stderr
    assert file_of(machine, "host0") == INSTALLED


IFUPDOWN: Final = """
mkdir -p /etc/network/interfaces.d
echo 'iface eth1 inet dhcp' >/etc/network/interfaces.d/eth1
cd /etc/systemd/system
printf '[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' >networking.service
systemctl enable networking
"""


def test_interface_of_another_owner_is_refused_by_name(machine: RackShell) -> None:
    machine.run(IFUPDOWN)
    answer = machine.apply(loading(host0=OWN, eth1=PUBLIC))
    machine.run(
        "systemctl disable networking; rm /etc/network/interfaces.d/eth1 /etc/systemd/system/networking.service"
    )
    assert answer.status != 0
    assert "eth1 is configured by ifupdown" in answer.stderr


def test_addresses_that_no_program_would_restore_are_not_taken_away(machine: RackShell) -> None:
    machine.run("ip address add 198.19.9.9/24 dev eth2")
    answer = machine.apply(loading(host0=OWN, eth2={"addresses": ["198.19.4.1/24"]}))
    machine.run("ip address del 198.19.9.9/24 dev eth2")
    assert answer.status != 0
    assert "eth2 is configured by another program" in answer.stderr


def devices(stp: str) -> dict[str, str]:
    """Return the files of a bridge and of what is on it: of kinds that every rack's kernel has."""
    bridge = f"[NetDev]\nName=base0\nKind=bridge\n[Bridge]\nSTP={stp}\n"
    network = "[Match]\nName={}\n[Link]\nRequiredForOnline=no\n[Network]\nConfigureWithoutCarrier=yes\nAddress={}/24\n"
    return {
        "base0.netdev": bridge,
        "base0.network": network.format("base0", "198.19.5.1") + "MACVLAN=top0\n",
        "top0.netdev": "[NetDev]\nName=top0\nKind=macvlan\n[MACVLAN]\nMode=private\n",
        "top0.network": network.format("top0", "198.19.6.1"),
    }


def test_device_that_changes_is_made_again_with_what_is_on_it(machine: RackShell) -> None:
    """As a bond with a VLAN on it is, where the kernel has those."""
    for name, stp in (("one", "no"), ("two", "yes")):
        machine.run(f"mkdir -p /run/{name}; cp {interfaces.KEPT}/04-henhouse-host0.network /run/{name}")
        for file, text in devices(stp).items():
            machine.run(f"cat >/run/{name}/04-henhouse-{file}", text)
        assert machine.run(f"{interfaces.LOAD} /run/{name}").status == 0
        until(machine, "ip -4 address show dev top0 | grep -q 198.19.6.1")
        assert addresses(machine, "base0") == ["198.19.5.1/24"]
        assert machine.run("cat /sys/class/net/base0/bridge/stp_state").stdout == ("1\n" if stp == "yes" else "0\n")
    assert machine.run(f"{interfaces.LOAD} {interfaces.KEPT}").status == 0
    until(machine, "[[ ! -e /sys/class/net/base0 && ! -e /sys/class/net/top0 ]]")
    until(machine, "ip -4 address show dev eth1 | grep -q 198.19.1.11")
    assert addresses(machine, "host0") == [f"{ADDRESS}/19"]


def test_bond_that_the_kernel_cannot_make_is_taken_back_at_once(machine: RackShell) -> None:
    """The kernel of this computer may lack bonds; where it has them, the machine has one."""
    links: dict[str, Mapping[str, Any]] = {"host0": OWN, "bond0": {**PUBLIC, "bond": {"members": ["eth1", "eth2"]}}}
    answer = machine.apply(loading(**links))
    if answer.status != 0:
        assert "the interfaces are again as they were before" in answer.stderr
        assert addresses(machine, "eth1") == PUBLIC["addresses"]
    else:
        keep(machine, **links)
        keep(machine, host0=OWN, eth1=PUBLIC)
        assert machine.run("ls /sys/class/net/bond0").status != 0
