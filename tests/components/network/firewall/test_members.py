"""Who is in the sets: the role's own shell, with the real nft, in a network namespace."""

import subprocess
from collections.abc import Iterator
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from components.contracts.openings import ANYWHERE, Opening
from components.network.firewall.component import way
from components.network.firewall.roles import DIRECTORY, let_in, loading
from components.network.firewall.ruleset import members, ruleset
from converge.items import Script
from converge.role import Role
from stacks.load import parse_settings
from tests.components.network.namespaces import Network, network
from tests.converge.scripts import site
from tests.stacks.sites import changed, tree
from tests.tools import command

pytestmark = pytest.mark.programs

OLD, NEW = (IPv4Network(f"198.18.0.{last}/32") for last in (102, 103))


class Filter:
    """The packet filter of one machine, hen, whose files are in a directory of the test."""

    def __init__(self, net: Network, directory: Path) -> None:
        self._net = net
        self._directory = directory
        (directory / "bin").mkdir()
        # Without what has to do with time: systemd's timer that takes rules back.
        for name, words in (("nft", [*command("nft"), '"$@"']), ("systemd-run", [":"]), ("systemctl", [":"])):
            program = directory / "bin" / name
            program.write_text(f"#!/bin/sh\n{' '.join(words)}\n")
            program.chmod(0o755)

    def bash(self, text: str) -> bool:
        """Run it as the script of a role does; return whether it succeeds."""
        for path in (DIRECTORY, "/run"):
            text = text.replace(f"{path}/", f"{self._directory}/")
        setting = (
            f"set -euo pipefail\nPATH={self._directory}/bin:$PATH\nSSH_CONNECTION='198.18.0.1 1 198.18.0.200 22'\n"
        )
        return self._net.run("inside", "bash", "-c", setting + text, check=False).returncode == 0

    def write(self, name: str, text: str) -> None:
        (self._directory / name).write_text(text.replace(f"{DIRECTORY}/", f"{self._directory}/"))

    def holds(self, role: Role) -> bool:
        """Return what the last script of a role says."""
        return self.bash(script(role).check)

    def apply(self, role: Role) -> None:
        assert self.bash(script(role).apply)
        assert self.holds(role)


def script(role: Role) -> Script:
    (last,) = [item for item in role.items if isinstance(item, Script)][-1:]
    return last


def openings(*who: IPv4Network, port: int = 2049) -> list[Opening]:
    return [Opening("hen", 22, "tcp", ANYWHERE, "SSH"), Opening("hen", port, "tcp", who, "NFS")]


@pytest.fixture
def hen(tmp_path: Path) -> Iterator[Filter]:
    """Provide a machine with rules that let one other in."""
    with network() as net:
        made = Filter(net, tmp_path)
        load_members(made, OLD)
        load_rules(made)
        yield made


def load_members(hen: Filter, *who: IPv4Network, port: int = 2049) -> Role:
    text = members(site("dev"), "hen", openings(*who, port=port))
    hen.write("members.nft", text)
    hen.apply(let_in(text))
    return let_in(text)


def load_rules(hen: Filter, port: int = 2049) -> Role:
    text = ruleset(site("dev"), "hen", openings(OLD, port=port))
    hen.write("candidate.nft", text)
    hen.apply(loading(text))
    return loading(text)


def test_new_member_does_not_change_the_rules(hen: Filter) -> None:
    rules = loading(ruleset(site("dev"), "hen", openings(OLD)))
    sets = load_members(hen, OLD, NEW)
    assert hen.bash("[[ $(nft list set inet henhouse tcp_2049) == *' 198.18.0.102/31 '* ]]")
    assert hen.holds(rules)
    load_rules(hen)
    assert hen.holds(sets), "the members' file is loaded with the rules"
    assert hen.bash("[[ $(nft list set inet henhouse tcp_2049) == *' 198.18.0.102/31 '* ]]")


@pytest.mark.parametrize(
    "by_hand",
    [
        "nft add element inet henhouse tcp_2049 '{ 192.0.2.7 }'",
        "nft flush set inet henhouse tcp_2049",
        "nft delete table inet henhouse",
    ],
)
def test_what_was_changed_by_hand_is_seen_and_put_right(hen: Filter, by_hand: str) -> None:
    sets = let_in(members(site("dev"), "hen", openings(OLD)))
    assert hen.holds(sets)
    assert hen.bash(by_hand)
    assert not hen.holds(sets)
    hen.apply(sets)
    assert hen.bash("[[ $(nft list set inet henhouse tcp_2049) == *' 198.18.0.102 '* ]]")


def test_file_that_was_being_written_when_the_power_went_is_not_loaded(hen: Filter) -> None:
    hen.write("members.nft.henhouse-new", members(site("dev"), "hen", openings(NEW)) + "add element inet hen")
    assert hen.bash(f"nft --file {DIRECTORY}/candidate.nft")
    assert hen.bash("[[ $(nft list set inet henhouse tcp_2049) == *' 198.18.0.102 '* ]]")


def test_rules_without_the_members_file_let_no_peer_in(hen: Filter) -> None:
    assert hen.bash(f"rm {DIRECTORY}/members.nft; nft --file {DIRECTORY}/candidate.nft")
    assert hen.bash("[[ $(nft list set inet henhouse tcp_2049) != *elements* ]]")


@pytest.mark.parametrize("members_first", [True, False])
def test_port_that_is_opened_or_closed_needs_no_order(hen: Filter, members_first: bool) -> None:
    """Both files fit any other of their kind: an update may be cut short between them, and the machine boot."""
    steps = [partial(load_members, hen, NEW, port=5432), partial(load_rules, hen, port=5432)]
    for step in steps if members_first else steps[::-1]:
        step()
        assert hen.bash(f"nft delete table inet henhouse; nft --file {DIRECTORY}/candidate.nft")
    assert hen.bash("[[ $(nft list set inet henhouse tcp_5432) == *' 198.18.0.103 '* ]]")


@pytest.mark.parametrize(
    ("address", "comes"),
    [
        ("198.18.0.2", True),
        ("198.18.31.255", True),
        ("192.0.2.9", True),
        ("198.18.32.1", False),
        ("192.0.3.1", False),
        ("2001:db8::1", False),
    ],
)
def test_program_that_comes_through_a_gateway_with_nat_is_stopped_first(address: str, comes: bool) -> None:
    settings = {"network": {"nat": True, "administrators": ["192.0.2.0/24"]}}
    behind = parse_settings(changed(tree("dev"), settings))
    role = let_in(members(behind, "hen", openings(OLD)), way(behind, "hen"))
    first = role.items[0]
    assert isinstance(first, Script)
    environment = {"SSH_CONNECTION": f"{address} 50000 198.18.0.200 22", "PATH": "/usr/bin:/bin"}
    done = [
        subprocess.run(["bash", "-euc", text], env=environment, capture_output=True, text=True, check=False)
        for text in (first.check, first.apply)
    ]
    assert (done[0].returncode == 0) == comes
    assert done[1].returncode == 1
    assert f"network.administrators: [{address}/32]" in done[1].stdout


def test_gateway_and_a_site_without_nat_are_reached_from_anywhere() -> None:
    behind = parse_settings(changed(tree("dev"), {"network": {"nat": True}}))
    assert way(behind, "rooster") == ()
    assert way(site("dev"), "hen") == ()
    assert not [item for item in let_in("", way(site("dev"), "hen")).items if "way" in getattr(item, "name", "")]
