"""The packet filter of a machine, as text (nft(8))."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from itertools import pairwise
from typing import Final

from components.contracts.openings import ANYWHERE, Opening, of_nodes
from components.templates import render
from stacks.settings import Site

MEMBERS: Final = "/etc/henhouse/firewall/members.nft"
"""Where a machine keeps who is in the sets of its rules."""
CLUSTER: Final = "cluster"
"""The set of those who may send to pods."""


@dataclass(frozen=True)
class _Rule:
    port: int
    protocol: str
    match: str
    """Who may connect, with a space behind it; empty for anyone, by IPv4 and IPv6."""
    what: str


def ruleset(site: Site, machine: str, openings: Iterable[Opening]) -> str:
    """Return the rules of a machine: its openings are let in, everything else is dropped.

    Addresses of single machines are in no rule: see `members`. `openings` are those of all machines. ValueError when
    two of them open the same port of this machine.
    """
    own = _own(machine, openings)
    for one, other in pairwise(own):
        if (one.protocol, one.port) == (other.protocol, other.port):
            raise ValueError(
                f"{one.protocol} port {one.port} of {machine} is opened for {one.what} and for {other.what}: "
                "a port has one owner"
            )
    network = site.network
    is_gateway = machine == site.gateway
    return render(
        __file__,
        "firewall.nft",
        sets=_sets(site, machine, own),
        cluster=CLUSTER,
        members=MEMBERS,
        node=machine in site.nodes,
        is_gateway=is_gateway,
        nat=is_gateway and network.nat,
        administrators=list(collapse_addresses(network.administrators)),
        gateway=site.hosts[site.gateway].address,
        machines=network.machines,
        pods=network.pods,
        services=network.services,
        load_balancers=network.load_balancers,
        openings=[_rule(each) for each in own],
    )


def members(site: Site, machine: str, openings: Iterable[Opening]) -> str:
    """Return who is in the sets that a machine's rules name.

    SSH is open to anyone by a rule without a set, so no content of this file can keep the program out.
    """
    return render(__file__, "members.nft", sets=_sets(site, machine, _own(machine, openings)).items())


def _own(machine: str, openings: Iterable[Opening]) -> list[Opening]:
    return sorted((each for each in openings if each.machine == machine), key=lambda each: (each.protocol, each.port))


def _sets(site: Site, machine: str, own: Iterable[Opening]) -> Mapping[str, list[IPv4Network]]:
    """Return the members of each set by its name; nft refuses networks that overlap."""
    return {name: list(collapse_addresses(sources)) for name, sources in _named(site, machine, own)}


def _named(site: Site, machine: str, own: Iterable[Opening]) -> Iterator[tuple[str, tuple[IPv4Network, ...]]]:
    if machine in site.nodes:
        yield CLUSTER, (*of_nodes(site), site.network.pods)
    yield from ((_set(each), each.sources) for each in own if not _for_anyone(each))


def _rule(opening: Opening) -> _Rule:
    match = "" if _for_anyone(opening) else f"ip saddr @{_set(opening)} "
    return _Rule(opening.port, opening.protocol, match, opening.what)


def _set(opening: Opening) -> str:
    return f"{opening.protocol}_{opening.port}"


def _for_anyone(opening: Opening) -> bool:
    return set(ANYWHERE) <= set(opening.sources)
