"""What the packet filter lets in, as text that nft accepts."""

from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from components.cluster.calico.openings import openings
from components.contracts.openings import ANYWHERE, Opening
from components.network.firewall.roles import keeping, let_in, loading
from components.network.firewall.ruleset import members, ruleset
from converge.render import render
from stacks.load import parse_settings
from stacks.settings import Site
from tests.converge.scripts import site
from tests.stacks.sites import changed, tree
from tests.tools import accepts

pytestmark = pytest.mark.programs

OPENINGS = (
    Opening("hen", 22, "tcp", ANYWHERE, "SSH"),
    Opening("hen", 2049, "tcp", (IPv4Network("198.18.0.102/32"),), "NFS"),
    Opening("chick1", 10250, "tcp", (IPv4Network("198.18.0.100/32"),), "kubelet"),
    Opening("rooster", 443, "tcp", ANYWHERE, "HTTPS"),
)


@pytest.fixture
def dev() -> Site:
    return site("dev")


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_nft_accepts_the_rules_of_every_machine(stack: str, tmp_path: Path) -> None:
    settings = site(stack)
    for machine in settings.hosts:
        path = tmp_path / f"{machine}.nft"
        sources = (ANYWHERE, (IPv4Network("192.0.2.0/24"),))
        opened = [Opening(machine, 22 + at, "tcp", who, "SSH, and more") for at, who in enumerate(sources)]
        path.write_text(members(settings, machine, opened) + ruleset(settings, machine, opened))
        accepts("nft", "--check", "--file", str(path))


def test_machine_lets_in_its_own_openings_and_drops_the_rest(dev: Site) -> None:
    rules = ruleset(dev, "hen", OPENINGS)
    assert 'ip saddr @tcp_2049 tcp dport 2049 counter accept comment "NFS"' in rules
    assert "add element inet henhouse tcp_2049 { 198.18.0.102/32 }" in members(dev, "hen", OPENINGS)
    assert '        tcp dport 22 counter accept comment "SSH"' in rules
    assert "10250" not in rules
    assert rules.count("policy drop;") == 2
    assert "cali" not in rules, "no pod runs there"


@pytest.mark.parametrize("node", ["chick0", "chick1", "chick2"])
def test_node_passes_on_nothing_to_a_service_from_outside(dev: Site, node: str) -> None:
    rules = ruleset(dev, node, OPENINGS)
    assert "ip daddr 198.18.32.0/20 drop" in rules
    assert "ip daddr 198.18.48.0/24 ip saddr != 198.18.0.2 drop" in rules


def test_gateway_passes_nothing_into_the_cluster(dev: Site) -> None:
    rules = ruleset(dev, "rooster", OPENINGS)
    assert "ip daddr { 198.18.64.0/18, 198.18.32.0/20, 198.18.48.0/24 } drop" in rules


def test_no_rule_names_a_machine_but_the_gateway(dev: Site) -> None:
    """Another machine changes who is in a set, and no rule: no timer runs for it."""
    for machine in dev.hosts:
        rules = ruleset(dev, machine, OPENINGS)
        named = [name for name, host in dev.hosts.items() if f"{host.address}" in rules and name != "rooster"]
        assert not named


def test_ssh_depends_on_no_set(dev: Site) -> None:
    """Members are loaded without a timer that takes them back."""
    assert '        tcp dport 22 counter accept comment "SSH"' in ruleset(dev, "hen", OPENINGS)
    assert "tcp_22 " not in members(dev, "hen", OPENINGS)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("198.18.0.0/24", "198.18.0.7/32"), "{ 198.18.0.0/24 }"),
        (("198.18.0.0/25", "198.18.0.128/25", "192.0.2.1/32"), "{ 192.0.2.1/32, 198.18.0.0/24 }"),
    ],
)
def test_sources_that_overlap_are_one(dev: Site, sources: tuple[str, ...], expected: str) -> None:
    opening = Opening("hen", 5432, "udp", tuple(map(IPv4Network, sources)), "PostgreSQL")
    assert f"add element inet henhouse udp_5432 {expected}" in members(dev, "hen", [opening])


def test_anyone_among_others_is_anyone(dev: Site) -> None:
    opening = Opening("hen", 5432, "tcp", (IPv4Network("192.0.2.0/24"), *ANYWHERE), "PostgreSQL")
    assert '        tcp dport 5432 counter accept comment "PostgreSQL"' in ruleset(dev, "hen", [opening])


def test_reserved_addresses_stand_for_the_nodes_where_it_does_not_matter_who_asks() -> None:
    reserved = parse_settings(changed(tree("dev"), {"network": {"nodes": ["198.18.0.96/28", "198.18.0.112/30"]}}))
    assert "add element inet henhouse cluster { 198.18.0.96/28, 198.18.0.112/30, 198.18.64.0/18 }" in members(
        reserved, "chick1", ()
    )
    by_port = {(each.machine, each.port): each.sources for each in openings(reserved)}
    assert by_port["chick1", 10256] == (IPv4Network("198.18.0.96/28"), IPv4Network("198.18.0.112/30"))
    assert by_port["chick1", 10250] == (IPv4Network("198.18.0.100/32"),), "the API server's alone"


def test_port_with_two_owners_is_refused(dev: Site) -> None:
    other = Opening("hen", 22, "tcp", ANYWHERE, "another SSH")
    with pytest.raises(ValueError, match="tcp port 22 of hen is opened for SSH and for another SSH"):
        ruleset(dev, "hen", (*OPENINGS, other))


def test_scripts_are_sound(dev: Site, faults: Callable[[str], str]) -> None:
    rules = ruleset(dev, "hen", OPENINGS)
    sets = let_in(members(dev, "hen", OPENINGS), (IPv4Network("198.18.0.0/19"), IPv4Network("192.0.2.0/24")))
    for role in (sets, loading(rules), keeping("0b5c1a6e-0000-4000-8000-000000000000")):
        assert faults(render(role, "hen")) == ""
