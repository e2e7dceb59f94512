"""The public names of a site, for its DNS."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stacks.settings import Site


@dataclass(frozen=True)
class Record:
    """One DNS record set (RFC 1035)."""

    name: str
    """Fully qualified, with the final dot."""
    type: str
    ttl: int
    """Seconds."""
    values: tuple[str, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Record":
        """Return the record in what `as_data` gave. KeyError, TypeError or ValueError for anything else."""
        return cls(str(data["name"]), str(data["type"]), int(data["ttl"]), tuple(map(str, data["values"])))

    def as_data(self) -> dict[str, object]:
        """Return the record as JSON has it."""
        return {"name": self.name, "type": self.type, "ttl": self.ttl, "values": list(self.values)}


def dns_records(site: Site, hosts: Iterable[str]) -> list[Record]:
    """Return the records of a site's public names `hosts`, sorted: what its DNS must answer for people to reach it."""
    addresses = site.edge.public_addresses or (site.hosts[site.gateway].address,)
    values = tuple(str(address) for address in sorted(addresses))
    return [Record(f"{host}.", "A", site.edge.dns_ttl_seconds, values) for host in sorted(hosts)]


def dns_zone(records: Iterable[Record]) -> str:
    """Return the records as lines of a zone file (RFC 1035, 5.1)."""
    return "".join(
        f"{record.name} {record.ttl} IN {record.type} {value}\n" for record in records for value in record.values
    )
