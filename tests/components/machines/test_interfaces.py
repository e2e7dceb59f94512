"""Interfaces as files of systemd-networkd, and the roles that bring them."""

import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from components.machines.roles import interfaces
from converge.items import Directory, Script
from stacks.load import parse_settings
from stacks.settings import HostSettings
from tests.stacks.sites import changed, tree
from tests.test_program import program, program_of

GIVEN: Final = {
    "bond0": {"bond": {"members": ["eno1", "eno2"], "mode": "802.3ad"}, "addresses": ["198.18.0.2/19"], "mtu": 9000},
    "public": {
        "vlan": {"id": 7, "on": "bond0"},
        "addresses": ["203.0.113.10/24", "203.0.113.11/24"],
        "gateway": "203.0.113.1",
        "name_servers": ["192.0.2.53"],
    },
}


def settings(given: dict[str, Any]) -> dict[str, Any]:
    return changed(tree("dev"), {"hosts": {"rooster": {"interfaces": given}}})


def rooster(given: dict[str, Any]) -> HostSettings:
    return parse_settings(settings(given)).hosts["rooster"]


def files(given: dict[str, Any]) -> dict[str, str]:
    """Return the files by their names, without comments and blank lines."""
    found = interfaces.files("rooster", rooster(given))
    return {
        name.removeprefix("04-henhouse-"): " ".join(line for line in text.splitlines() if line and line[0] != "#")
        for name, text in found.items()
    }


def test_each_interface_has_its_files() -> None:
    assert files(GIVEN) == {
        "bond0.netdev": "[NetDev] Name=bond0 Kind=bond [Bond] Mode=802.3ad MIIMonitorSec=100ms",
        "bond0.network": "[Match] Name=bond0 [Link] MTUBytes=9000 [Network] Address=198.18.0.2/19 VLAN=public",
        "eno1.network": "[Match] Name=eno1 [Link] RequiredForOnline=no [Network] Bond=bond0",
        "eno2.network": "[Match] Name=eno2 [Link] RequiredForOnline=no [Network] Bond=bond0",
        "public.netdev": "[NetDev] Name=public Kind=vlan [VLAN] Id=7",
        "public.network": "[Match] Name=public [Link] RequiredForOnline=no "
        "[Network] Address=203.0.113.10/24 Address=203.0.113.11/24 DNS=192.0.2.53 [Route] Gateway=203.0.113.1",
    }


def test_interface_that_only_carries_others_has_no_address_of_its_own_making() -> None:
    carried = {"eno1": {}, "inside": {"addresses": ["198.18.0.2/19"], "vlan": {"id": 8, "on": "eno1"}}}
    assert files(carried)["eno1.network"] == (
        "[Match] Name=eno1 [Link] RequiredForOnline=no [Network] VLAN=inside LinkLocalAddressing=no IPv6AcceptRA=no"
    )


def test_files_that_differ_are_never_in_the_same_place() -> None:
    """A boot in the middle of writing them must find the kept ones whole."""
    places = set()
    for mtu in (1500, 9000):
        host = rooster({"eno1": {"addresses": ["198.18.0.2/19"], "mtu": mtu}})
        places |= {item.path for item in interfaces.interfaces("rooster", host).items if hasattr(item, "path")}
    assert len([path for path in places if path.endswith("eno1.network")]) == 2


@pytest.mark.xdist_group("prod")  # one process runs that program
def test_machines_without_them_have_no_such_role() -> None:
    assert not [each.name for stack in ("dev", "prod") for each in program(stack) if "interfaces" in each.name]


def test_they_come_before_anything_is_fetched() -> None:
    found = program_of("dev", settings(GIVEN))
    kept = found.one("rooster-interfaces-kept-command")
    assert "rooster-interfaces-command" in kept.depends_on_names
    assert "rooster-interfaces-kept-command" in found.one("rooster-sources-command").depends_on_names
    assert {each.name for each in found} - {each.name for each in program("dev")} == {
        "rooster-interfaces",
        "rooster-interfaces-command",
        "rooster-interfaces-kept",
        "rooster-interfaces-kept-command",
    }


def test_only_earlier_files_of_the_program_go(tmp_path: Path) -> None:
    host = rooster(GIVEN)
    (kept,) = [item for item in interfaces.keeping("rooster", host, "test").items if isinstance(item, Script)]
    clean = kept.apply.splitlines()[-1]
    places = {str(item.path) for item in interfaces.interfaces("rooster", host).items if isinstance(item, Directory)}
    (now,) = [Path(place).name for place in places if re.fullmatch(r"[0-9a-f]{12}", Path(place).name)]
    for name in (now, "0123456789ab", "of-a-person", "0123456789abc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    subprocess.run(["bash", "-c", clean.replace(interfaces.DIRECTORY, str(tmp_path))], check=True)
    assert {path.name for path in tmp_path.iterdir()} == {now, "of-a-person", "0123456789abc"}
