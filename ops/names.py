"""A stack's DNS records: beside what a name server answers for them, and as octoDNS reads them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.zone
import yaml

from stacks.outputs.dns import Record

ASK_SECONDS: Final = 5.0
_ADDRESSES: Final = ("A", "AAAA", "CNAME")
"""Each of these at a public name sends people somewhere."""
OWNER: Final = "_owner"
"""First label of the TXT records by which octoDNS knows what it made (octodns.processor.ownership)."""


class DnsError(Exception):
    """A name server did not answer, or records cannot be read; the message says why."""


@dataclass(frozen=True)
class Server:
    """A name server."""

    address: str
    port: int = 53

    def __str__(self) -> str:
        return f"{self.address} port {self.port}"


@dataclass(frozen=True)
class Key:
    """What signs a transfer of a zone (RFC 8945)."""

    name: str
    secret: str
    algorithm: str


@dataclass(frozen=True)
class Finding:
    """One record set that is not as the stack has it."""

    name: str
    type: str
    problem: str
    """`missing`, `differing` or `needless`."""
    expected: str
    found: str


def records_of(data: Any) -> list[Record]:
    """Return the records in a stack's outputs, or in the output `dns_records` alone. DnsError when there are none."""
    listed = data.get("dns_records") if isinstance(data, Mapping) else data
    try:
        if isinstance(listed, list) and listed:
            return [Record.of(each) for each in listed]
    except (TypeError, KeyError, ValueError):
        pass
    raise DnsError(
        "it has no records\n"
        "    accepted: the output of `pulumi stack output --json`, or of `pulumi stack output --json dns_records`"
    )


def server_of(text: str) -> Server:
    """Return the server at ``ADDRESS[:PORT]``; an IPv6 address with a port is in brackets. ValueError for others."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return Server(address, int(port.removeprefix(":") or 53))
    if text.count(":") == 1:
        address, _, port = text.partition(":")
        return Server(address, int(port))
    return Server(text)


def compare(records: Sequence[Record], server: Server) -> Iterator[Finding]:
    """Ask the server for each name, and yield what it answers otherwise. DnsError when it does not answer."""
    expected = {(record.name, record.type): record for record in records}
    for name in dict.fromkeys(record.name for record in records):
        of_stack = [kind for owner, kind in expected if owner == name]
        for kind in dict.fromkeys([*of_stack, *_ADDRESSES]):
            finding = judge(name, kind, expected.get((name, kind)), *answer(name, kind, server))
            if finding:
                yield finding


def judge(name: str, kind: str, expected: Record | None, found: frozenset[str], ttl: int | None) -> Finding | None:
    """Return what is wrong with an answer; None if nothing is. `ttl` is None where a cache counts it down."""
    said = ", ".join(sorted(found))
    if expected is None:
        return Finding(name, kind, "needless", "nothing", said) if found else None
    wanted = ", ".join(sorted(expected.values))
    if not found:
        return Finding(name, kind, "missing", wanted, "nothing")
    if found != set(expected.values):
        return Finding(name, kind, "differing", wanted, said)
    if ttl is not None and ttl != expected.ttl:
        return Finding(name, kind, "differing", f"{wanted}, ttl {expected.ttl}", f"{said}, ttl {ttl}")
    return None


def answer(name: str, kind: str, server: Server) -> tuple[frozenset[str], int | None]:
    """Return the values at this very name, and their ttl when the server is the zone's own."""
    question = dns.message.make_query(name, kind)
    try:
        said, _ = dns.query.udp_with_fallback(question, server.address, timeout=ASK_SECONDS, port=server.port)
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise DnsError(f"{server} does not answer for {name} {kind}: {error or type(error).__name__}") from None
    if said.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise DnsError(f"{server} answers {dns.rcode.to_text(said.rcode())} for {name} {kind}")
    found = said.get_rrset(
        said.answer, dns.name.from_text(name), said.question[0].rdclass, dns.rdatatype.from_text(kind)
    )
    if found is None:
        return frozenset(), None
    return frozenset(str(each) for each in found), found.ttl if said.flags & dns.flags.AA else None


def orphans(records: Sequence[Record], zone: str, owner: str, server: Server, key: Key | None) -> Iterator[Finding]:
    """Transfer the zone, and yield the records that octoDNS once made for this stack and that it no longer has."""
    signed: dict[str, Any] = {}
    if key:
        signed = {"keyring": dns.tsigkeyring.from_text({key.name: key.secret}), "keyalgorithm": key.algorithm}
    try:
        transfer = dns.query.xfr(
            server.address, zone, port=server.port, lifetime=ASK_SECONDS, relativize=False, **signed
        )
        held = dns.zone.from_xfr(transfer, relativize=False)
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise DnsError(f"{server} does not transfer {zone}: {error or type(error).__name__}") from None
    wanted = {(record.name, record.type) for record in records}
    for name, _, value in held.iterate_rdatas("TXT"):
        label, kind, *rest = name.to_text().split(".")
        if label == OWNER and value.to_text() == f'"{owner}"':
            of, kind = ".".join(rest), kind.upper()
            if (of, kind) not in wanted:
                found = held.get_rdataset(of, kind)
                yield Finding(of, kind, "needless", "nothing", ", ".join(sorted(map(str, found or ()))))


def default_zone(records: Sequence[Record]) -> str:
    """Return the longest name that every record is below."""
    first, *others = [dns.name.from_text(record.name).parent() for record in records]
    for other in others:
        while not other.is_subdomain(first):
            first = first.parent()
    return first.to_text()


def write(records: Sequence[Record], zone: str, owner: str, directory: Path) -> None:
    """Write ``octodns.yaml`` and ``zones/<zone>yaml``. DnsError for a record that is in another zone.

    With these, octoDNS makes the records in the zone by RFC 2136, and deletes what it made before and the stack no
    longer has. It leaves alone whatever it did not make: a TXT record beside each of its own says `owner`.
    """
    zone = f"{zone.rstrip('.')}."
    strangers = [record.name for record in records if not f".{record.name}".endswith(f".{zone}")]
    if strangers:
        raise DnsError(f"--zone {zone}: {', '.join(strangers)} is not in it; the zone of all records is accepted")
    zones = directory / "zones"
    zones.mkdir(parents=True, exist_ok=True)
    (zones / f"{zone}yaml").write_text(yaml.safe_dump(_zone(records, zone)))
    (directory / "octodns.yaml").write_text(yaml.safe_dump(_configuration(zone, owner, zones), sort_keys=False))


def _zone(records: Sequence[Record], zone: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        name = record.name.removesuffix(zone).removesuffix(".")
        found.setdefault(name, []).append({"type": record.type, "ttl": record.ttl, "values": list(record.values)})
    return found


def _configuration(zone: str, owner: str, zones: Path) -> dict[str, Any]:
    return {
        "processors": {"owner": {"class": "octodns.processor.ownership.OwnershipProcessor", "txt_value": owner}},
        "providers": {
            "stack": {
                "class": "octodns.provider.yaml.YamlProvider",
                "directory": str(zones),
                "enforce_order": False,
                "escaped_semicolons": False,
            },
            "server": {
                "class": "octodns_bind.Rfc2136Provider",
                "host": "env/DNS_SERVER",
                "port": "env/DNS_PORT/53",
                "key_name": "env/DNS_KEY_NAME",
                "key_secret": "env/DNS_KEY_SECRET",
                "key_algorithm": "env/DNS_KEY_ALGORITHM/hmac-sha256",
            },
        },
        "zones": {zone: {"sources": ["stack"], "processors": ["owner"], "targets": ["server"]}},
    }
