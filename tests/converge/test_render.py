"""The text of scripts: what bash and shellcheck say of every one, and the whole of a few."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from components.contracts.cluster import Membership
from components.machines.node import baseline
from components.machines.roles import kubernetes, time
from converge.item import shell_text
from converge.items import Absent, Block, Directory, File, KernelModule, Line, Package, Script, Sysctl, Unit
from converge.render import render, standard_input
from converge.role import Fact, Role
from tests.converge.scripts import own_text, site
from tests.tools import SHELLCHECK

GOLDEN: Final = Path(__file__).parent / "golden"
MANY: Final = Role(
    "many",
    (
        Package("chrony"),
        Package("kubelet", "1.36.3-*", held=True),
        File("/etc/it's.conf", "quotes: ' \" ` $x\n", validate='test -s "$NEW"'),
        File("/etc/key", secret="key", mode="0600", owner="chrony", group="chrony"),
        KernelModule("overlay"),
        Sysctl("net.ipv4.ip_forward", "1"),
        Sysctl("net/ipv4/conf/eth0.1/rp_filter", " 0\t0 "),
        Unit("chrony.service", restart_on=("/etc/it's.conf", "/etc/key")),
        Unit("kubelet.service", running=False, restart_on=("/etc/key",), reload=True),
        Directory("/srv/x"),
        Absent("/srv/y"),
        Line("/etc/fstab", " swap ", comment_out=True),
        Block("/etc/hosts", "10.0.0.1 a\n"),
        Script("all is well", "true", "cat <<'END'\nno indent\nEND"),
        Package("socat"),
    ),
    (Fact("machine_id", "cat /etc/machine-id"),),
)


def roles() -> Iterator[tuple[str, str, Role]]:
    yield "dev", "chick0", MANY
    for stack in ("dev", "prod"):
        for name in site(stack).hosts:
            for role in baseline(name, site(stack), Membership.of(site(stack).cluster)):
                yield stack, name, role


def different_roles() -> list[tuple[str, str, Role]]:
    """Eighteen workers are eighteen times the same but for names and addresses."""
    seen: dict[object, tuple[str, str, Role]] = {}
    for stack, machine, role in roles():
        duties = site(stack).hosts[machine].duties
        seen.setdefault((stack, role.name, duties, len(role.items)), (stack, machine, role))
    return list(seen.values())


@pytest.mark.parametrize(("stack", "machine", "role"), different_roles(), ids=lambda each: getattr(each, "name", each))
def test_bash_and_shellcheck_accept(stack: str, machine: str, role: Role, tmp_path: Path) -> None:
    accept(render(role, machine, ["key"]), tmp_path, "bash", "-n")
    accept(own_text(render(role, machine, ["key"])), tmp_path, SHELLCHECK)


def test_shellcheck_accepts_all_parts_together(tmp_path: Path) -> None:
    script = render(MANY, "chick0", ["key"])
    assert own_text(script).count("\n") < script.count("\n") / 3
    accept(script, tmp_path, SHELLCHECK)


def accept(script: str, tmp_path: Path, *program: str) -> None:
    (tmp_path / "script").write_text(script)
    done = subprocess.run([*program, tmp_path / "script"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "role", "secrets"),
    [
        ("many", MANY, ["key"]),
        ("swap-off", kubernetes.swap_off(), []),
        ("time", time.time("chick0", site("dev")), []),
    ],
)
def test_golden_text(name: str, role: Role, secrets: list[str]) -> None:
    assert own_text(render(role, "chick0", secrets)) == (GOLDEN / f"{name}.sh").read_text()


def test_script_holds_only_the_parts_it_needs() -> None:
    script = render(Role("demo", (Package("a1"),)), "chick0")
    assert "\npackages() {" in script
    assert "\nunit() {" not in script
    assert "\nsecret() {" not in script


def test_roles_of_two_machines_differ_in_the_name_only() -> None:
    role = Role("demo", (Package("a1"),))
    assert render(role, "chick0").replace("chick0", "chick1") == render(role, "chick1")


def test_secrets_are_lines_of_base64() -> None:
    assert standard_input({"b": "x\ny", "a": ""}) == "a \nb eAp5\n"


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("modprobe: ERROR: could not insert 'zfs': Key was rejected by service", True),
        ("modprobe: ERROR: could not insert 'zfs': Required key not available", True),
        ("modprobe: FATAL: Module zfs not found in directory /lib/modules/6.12.38+deb13-amd64", False),
        ("modprobe: ERROR: could not insert 'zfs': Exec format error", False),
    ],
)
def test_module_that_secure_boot_refuses_is_named(said: str, named: bool) -> None:
    shell = 'machine=hen; say() { printf "%s\\n" "$1"; }\n' + shell_text("module")
    command = ["bash", "-ec", f'{shell}\nunsigned zfs "$1"', "bash", said]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ("hen boots with Secure Boot, and its kernel refuses the module zfs" in done.stdout) is named
    assert ("mokutil --import /var/lib/dkms/mok.pub" in done.stdout) is named
