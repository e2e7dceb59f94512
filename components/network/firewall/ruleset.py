"""The packet filter of a machine, as text (nft(8))."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from components.contracts.openings import ANYWHERE, Opening
from components.templates import render
from stacks.settings import Site


@dataclass(frozen=True)
class _Rule:
    port: int
    protocol: str
    sources: str
    """The match of who may connect, with a space behind it; empty for anyone, by IPv4 and IPv6."""
    what: str


def ruleset(site: Site, machine: str, openings: Iterable[Opening]) -> str:
    """Return the rules of a machine: its openings are let in, everything else is dropped.

    `openings` are those of all machines. ValueError when two of them open the same port of this machine.
    """
    own = sorted((each for each in openings if each.machine == machine), key=lambda each: (each.protocol, each.port))
    for one, other in pairwise(own):
        if (one.protocol, one.port) == (other.protocol, other.port):
            raise ValueError(
                f"{one.protocol} port {one.port} of {machine} is opened for {one.what} and for {other.what}: "
                "a port has one owner"
            )
    network = site.network
    return render(
        __file__,
        "firewall.nft",
        node=machine in site.nodes,
        is_gateway=machine == site.gateway,
        gateway=site.hosts[site.gateway].address,
        nodes=[host.address for host in site.nodes.values()],
        machines=network.machines,
        pods=network.pods,
        services=network.services,
        load_balancers=network.load_balancers,
        openings=[_rule(each) for each in own],
    )


def _rule(opening: Opening) -> _Rule:
    anyone = opening.sources == ANYWHERE
    sources = "" if anyone else f"ip saddr {{ {', '.join(map(str, opening.sources))} }} "
    return _Rule(opening.port, opening.protocol, sources, opening.what)
