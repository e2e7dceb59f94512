"""The name server itself, in a network of its own: who is answered, and what."""

import sys
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

import pytest

from components.contracts.openings import Opening
from components.network.firewall.roles import DIRECTORY
from components.network.firewall.ruleset import members, ruleset
from components.network.names.texts import dnsmasq_conf, hosts
from stacks.load import parse_settings
from stacks.settings import Site
from tests.components.network.namespaces import GATEWAY, MACHINE, OUTSIDE, PUBLIC, Network, network
from tests.stacks.sites import changed, tree
from tests.test_program import program
from tests.tools import accepts, command

pytestmark = pytest.mark.programs

ASKING: Final = str(Path(__file__).with_name("asking.py"))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Provide a network whose gateway runs the site's name server, behind the site's packet filter.

    Outside is another name server, its upstream.
    """
    directory = tmp_path_factory.mktemp("names")
    with network() as made:
        upstream = directory / "upstream.conf"
        upstream.write_text(
            f"user=root\nno-resolv\nno-hosts\nlisten-address={OUTSIDE}\nbind-interfaces\n"
            "host-record=www.example.org,192.0.2.80\nptr-record=80.2.0.192.in-addr.arpa,www.example.org\n"
        )
        made.start("outside", *command("dnsmasq"), "--keep-in-foreground", "--pid-file=", f"--conf-file={upstream}")
        site = _site([OUTSIDE])
        own = directory / "dnsmasq.conf"
        own.write_text(_here(site, directory))
        made.start("gateway", *command("dnsmasq"), "--keep-in-foreground", "--pid-file=", f"--conf-file={own}")
        _answering(made, "outside", OUTSIDE)
        _answering(made, "gateway", GATEWAY)
        openings = [
            Opening("rooster", each["port"], each["protocol"], tuple(map(IPv4Network, each["sources"])), each["what"])
            for each in program("dev").exports["openings"]
            if each["machine"] == "rooster"
        ]
        sets = directory / "members.nft"
        sets.write_text(members(site, "rooster", openings))
        (directory / "rules.nft").write_text(ruleset(site, "rooster", openings).replace(DIRECTORY, str(directory)))
        made.nft("gateway", directory / "rules.nft")
        yield made


def _site(upstreams: list[str]) -> Site:
    return parse_settings(changed(tree("dev"), {"network": {"dns": {"upstreams": upstreams}}}))


def _here(site: Site, directory: Path) -> str:
    """Write the machines' names here; return the gateway's configuration, for a computer without dnsmasq's user."""
    assert site.network.dns is not None
    names = directory / "hosts"
    names.write_text(hosts(site, site.network.dns))
    return dnsmasq_conf(site, site.network.dns, str(names)).replace("user=dnsmasq", "user=root")


def _answering(made: Network, where: str, server: str) -> None:
    for _ in range(100):
        if ask(made, where, "A", "localhost.invalid", server=server):
            return
    raise AssertionError(f"the name server on {server} does not answer")


def ask(made: Network, where: str, kind: str, name: str, *, server: str = GATEWAY, protocol: str = "udp") -> list[str]:
    """Return the response code and the records; nothing without an answer."""
    return made.run(where, sys.executable, ASKING, protocol, server, kind, name, check=False).stdout.split()


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("kind", "name", "answer"),
    [
        ("A", "hen.flock.internal", ["0", "198.18.0.200"]),
        ("A", "hen", ["0", "198.18.0.200"]),
        ("PTR", "100.0.18.198.in-addr.arpa", ["0", "chick0.flock.internal"]),
        ("AAAA", "hen.flock.internal", ["0"]),
        ("AAAA", "hen", ["0"]),
        ("A", "goose.flock.internal", ["3"]),
        ("PTR", "7.31.18.198.in-addr.arpa", ["3"]),
        ("A", "www.example.org", ["0", "192.0.2.80"]),
        ("PTR", "80.2.0.192.in-addr.arpa", ["0", "www.example.org"]),
        ("A", "goose", ["3"]),
    ],
)
def test_machines_are_answered(net: Network, protocol: str, kind: str, name: str, answer: list[str]) -> None:
    assert ask(net, "inside", kind, name, protocol=protocol) == answer


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("server", [PUBLIC, GATEWAY])
def test_outside_is_not_answered(net: Network, protocol: str, server: str) -> None:
    assert ask(net, "outside", "A", "hen.flock.internal", server=server, protocol=protocol) == []


def test_public_side_does_not_listen(net: Network) -> None:
    """Without its packet filter either: asked on the gateway itself, which no filter stops."""
    assert ask(net, "gateway", "A", "hen.flock.internal", server=GATEWAY) == ["0", MACHINE]
    assert ask(net, "gateway", "A", "hen.flock.internal", server=PUBLIC) == []


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_dnsmasq_accepts_the_configuration(stack: str, tmp_path: Path) -> None:
    (tmp_path / "dnsmasq.conf").write_text(_here(parse_settings(tree(stack)), tmp_path))
    accepts("dnsmasq", "--test", f"--conf-file={tmp_path / 'dnsmasq.conf'}")
