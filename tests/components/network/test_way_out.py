"""The gateway between a private network and the outside: real packets, the rules of the program."""

import shlex
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from components.contracts.openings import ANYWHERE, Opening
from components.network.firewall.roles import DIRECTORY
from components.network.firewall.ruleset import members, ruleset
from components.network.gateway.nat import translation, way_out
from converge.items import Script
from stacks.load import parse_settings
from tests.components.network.namespaces import GATEWAY, MACHINE, OUTSIDE, POD, PUBLIC, STRANGER, Network, network
from tests.stacks.sites import changed, tree
from tests.tools import command

pytestmark = pytest.mark.programs

OPENINGS = (
    Opening("rooster", 22, "tcp", ANYWHERE, "SSH"),
    Opening("rooster", 53, "tcp", (IPv4Network("198.18.0.0/19"),), "names"),
)


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as made:
        yield made


def load(net: Network, directory: Path, **settings: Any) -> None:
    """Load the gateway's rules for a site with these settings of its network."""
    site = parse_settings(changed(tree("dev"), {"network": settings}))
    sets = directory / "members.nft"
    sets.write_text(members(site, "rooster", OPENINGS))
    (directory / "rules.nft").write_text(ruleset(site, "rooster", OPENINGS).replace(DIRECTORY, str(directory)))
    net.nft("gateway", directory / "rules.nft")
    if site.network.nat:
        (directory / "nat.nft").write_text(translation(site))
        net.nft("gateway", directory / "nat.nft")


def test_machines_and_pods_go_out_with_the_gateways_address(net: Network, tmp_path: Path) -> None:
    net.serve("outside", "tcp", OUTSIDE, 8080)
    assert net.seen_as("inside", OUTSIDE, 8080) == MACHINE
    load(net, tmp_path, nat=True)
    assert net.seen_as("inside", OUTSIDE, 8080) == PUBLIC
    assert net.seen_as("inside", OUTSIDE, 8080, source=POD) == PUBLIC


def test_translation_that_is_gone_is_seen(net: Network, tmp_path: Path) -> None:
    site = parse_settings(changed(tree("dev"), {"network": {"nat": True}}))
    checks = [item.check for item in way_out(site) if isinstance(item, Script)]
    look = f'nft() {{ {shlex.join(command("nft"))} "$@"; }}\n{checks[-1]}'
    look_there = ("gateway", "bash", "-euo", "pipefail", "-c", look)
    assert net.run(*look_there, check=False).returncode != 0
    load(net, tmp_path, nat=True)
    net.run(*look_there)
    net.run("gateway", *command("nft"), "flush", "ruleset")
    assert net.run(*look_there, check=False).returncode != 0


def test_host_outside_begins_no_connection_to_a_machine(net: Network, tmp_path: Path) -> None:
    net.serve("inside", "tcp", MACHINE, 22)
    assert net.seen_as("outside", MACHINE, 22) == OUTSIDE
    load(net, tmp_path, nat=True)
    assert net.seen_as("outside", MACHINE, 22) is None


def test_administrators_do(net: Network, tmp_path: Path) -> None:
    net.serve("inside", "tcp", MACHINE, 22)
    load(net, tmp_path, nat=True, administrators=[f"{OUTSIDE}/32"])
    assert net.seen_as("outside", MACHINE, 22) == OUTSIDE
    net.run("outside", "ip", "address", "add", "198.19.0.10/24", "dev", "eth0")
    assert net.seen_as("outside", MACHINE, 22, source="198.19.0.10") is None


def test_gateway_that_only_routes_leaves_machines_to_their_own_filters(net: Network, tmp_path: Path) -> None:
    net.serve("inside", "tcp", MACHINE, 22)
    net.serve("outside", "tcp", OUTSIDE, 8080)
    load(net, tmp_path)
    assert net.seen_as("outside", MACHINE, 22) == OUTSIDE
    assert net.seen_as("inside", OUTSIDE, 8080) == MACHINE


@pytest.mark.parametrize("nat", [True, False])
def test_what_is_for_machines_is_not_for_the_outside(net: Network, tmp_path: Path, nat: bool) -> None:
    for port in (22, 53):
        net.serve("gateway", "tcp", "0.0.0.0", port)
    load(net, tmp_path, nat=nat)
    assert net.seen_as("inside", GATEWAY, 53) == MACHINE
    assert net.seen_as("outside", PUBLIC, 22) == OUTSIDE
    assert net.seen_as("outside", PUBLIC, 53) is None
    assert net.seen_as("outside", GATEWAY, 53) is None


def test_host_outside_claims_no_address_of_a_machine(net: Network, tmp_path: Path) -> None:
    net.run("outside", "ip", "address", "add", f"{STRANGER}/32", "dev", "lo")
    came = net.serve("inside", "udp", MACHINE, 9000)
    net.send("outside", MACHINE, 9000, STRANGER, "before")
    assert next(came) == f"before {STRANGER}"
    load(net, tmp_path, nat=True, administrators=[f"{OUTSIDE}/32"])
    net.send("outside", MACHINE, 9000, STRANGER, "claimed")
    # In order behind the other.
    net.send("outside", MACHINE, 9000, OUTSIDE, "honest")
    assert next(came) == f"honest {OUTSIDE}"


def test_new_member_is_let_in_by_the_members_file_alone(net: Network, tmp_path: Path) -> None:
    net.serve("gateway", "tcp", "0.0.0.0", 53)
    load(net, tmp_path, nat=True)
    assert net.seen_as("outside", PUBLIC, 53) is None
    sets = tmp_path / "members.nft"
    sets.write_text(sets.read_text().replace("{ 198.18.0.0/19 }", f"{{ 198.18.0.0/19, {OUTSIDE} }}"))
    net.nft("gateway", sets)
    assert net.seen_as("outside", PUBLIC, 53) == OUTSIDE
    assert net.seen_as("outside", MACHINE, 22) is None
