"""The ports on which machines answer others."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Literal

from stacks.settings import OpeningSettings, Site

ANYWHERE: Final = (IPv4Network("0.0.0.0/0"),)


@dataclass(frozen=True)
class Opening:
    """A port on which a machine answers others, declared by the room that listens there.

    A port that no room declares is a mistake of the room that listens on it: every port of a machine has one owner.
    """

    machine: str
    """The machine's name."""
    port: int
    protocol: Literal["tcp", "udp"]
    sources: tuple[IPv4Network, ...]
    """Who has a reason to connect."""
    what: str
    """What answers there, for people: SSH, kubelet."""

    @classmethod
    def of(cls, opening: OpeningSettings) -> "Opening":
        """Return what the settings say."""
        return cls(opening.machine, opening.port, opening.protocol, opening.sources, opening.what)

    def as_data(self) -> dict[str, object]:
        """Return the opening as JSON has it."""
        return {
            "machine": self.machine,
            "port": self.port,
            "protocol": self.protocol,
            "sources": [str(source) for source in self.sources],
            "what": self.what,
        }


def only(addresses: Iterable[IPv4Address]) -> tuple[IPv4Network, ...]:
    """Return these addresses and no others as sources, in order."""
    return tuple(IPv4Network(address) for address in sorted(set(addresses)))


def of_nodes(site: Site) -> tuple[IPv4Network, ...]:
    """Return the nodes as sources: the parts of the network that are reserved for them, or else each by its address.

    Where it matters who exactly asks, use `only`: a stranger on the machines' network may take a reserved address that
    no node has yet.
    """
    return site.network.nodes or only(node.address for node in site.nodes.values())
