"""What a stack puts out: small, plain where nothing is secret, and in a fixed order (docs/outputs.md)."""

from collections.abc import Iterable
from dataclasses import dataclass

from stacks.models import Site

SSH_HEADER = "# Include this file from ~/.ssh/config. Host keys are in the stack's settings."


@dataclass(frozen=True)
class Record:
    """One DNS record set (RFC 1035)."""

    name: str
    """Fully qualified, with the final dot."""
    type: str
    ttl: int
    """Seconds."""
    values: tuple[str, ...]

    def as_data(self) -> dict[str, object]:
        """The record as JSON has it."""
        return {"name": self.name, "type": self.type, "ttl": self.ttl, "values": list(self.values)}


def dns_records(site: Site, hosts: Iterable[str]) -> list[Record]:
    """The public names `hosts` of a site, sorted: what its DNS must answer for people to reach it."""
    addresses = site.edge.public_addresses or (site.hosts[site.gateway].address,)
    values = tuple(str(address) for address in sorted(addresses))
    return [Record(f"{host}.", "A", site.edge.dns_ttl_seconds, values) for host in sorted(hosts)]


def dns_zone(records: Iterable[Record]) -> str:
    """The records as lines of a zone file (RFC 1035, 5.1)."""
    return "".join(
        f"{record.name} {record.ttl} IN {record.type} {value}\n" for record in records for value in record.values
    )


def ssh_config(site: Site) -> str:
    """ssh_config(5) for every machine; with `known_hosts` beside it no key is ever trusted at first sight."""
    blocks = [
        f"Host {name}\n  HostName {host.address}\n  Port {site.access.port}\n  User {site.access.user}\n"
        f"  HostKeyAlgorithms ssh-ed25519\n"
        for name, host in sorted(site.hosts.items())
    ]
    return "\n".join([SSH_HEADER, *blocks])


def known_hosts(site: Site) -> str:
    """sshd(8)'s known_hosts of every machine, by name and address."""
    return "".join(f"{name},{host.address} {host.host_key}\n" for name, host in sorted(site.hosts.items()))


def bgp(site: Site) -> dict[str, object]:
    """What a router beside the gateway needs in order to peer with the cluster."""
    peers = sorted(str(node.address) for node in site.nodes.values())
    return {
        "as_number": site.cluster.bgp.as_number,
        "peers": peers,
        "prefixes": [str(site.network.pods), str(site.network.services), str(site.network.load_balancers)],
    }
