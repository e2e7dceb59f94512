"""What the packet filter lets in, as text that nft accepts."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from components.contracts.openings import ANYWHERE, Opening
from components.network.firewall.roles import keeping, loading
from components.network.firewall.ruleset import ruleset
from converge.render import render
from stacks.settings import Site
from tests.converge.scripts import own_text, site
from tests.tools import accepts, shellcheck

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
        openings = [Opening(machine, port, "tcp", ANYWHERE, "SSH, and more") for port in (22, 443)]
        path.write_text(ruleset(settings, machine, openings))
        accepts("nft", "--check", "--file", str(path))


def test_machine_lets_in_its_own_openings_and_drops_the_rest(dev: Site) -> None:
    rules = ruleset(dev, "hen", OPENINGS)
    assert 'ip saddr { 198.18.0.102/32 } tcp dport 2049 counter accept comment "NFS"' in rules
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


def test_port_with_two_owners_is_refused(dev: Site) -> None:
    other = Opening("hen", 22, "tcp", ANYWHERE, "another SSH")
    with pytest.raises(ValueError, match="tcp port 22 of hen is opened for SSH and for another SSH"):
        ruleset(dev, "hen", (*OPENINGS, other))


def test_scripts_are_sound(dev: Site) -> None:
    rules = ruleset(dev, "hen", OPENINGS)
    for role in (loading(rules), keeping("0b5c1a6e-0000-4000-8000-000000000000")):
        said = shellcheck(own_text(render(role, "hen")), "--shell=bash")
        assert said.returncode == 0, said.stdout
