"""DNS: whether a name server answers what the stack's records say, and the records for what keeps the zone."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dns.resolver

from converge.engine import EngineError
from converge.stack import StackClient, StateError
from ops.exits import Exit
from ops.names import (
    DnsError,
    Finding,
    Key,
    Server,
    compare,
    default_zone,
    orphans,
    records_of,
    server_of,
    write,
)
from ops.tables import console, table
from stacks.outputs.dns import Record, dns_zone


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Put the command on the command line."""
    command = commands.add_parser(
        "dns",
        help="compare a stack's records with what a name server answers, or write them for one",
        description="Needs no passphrase. Ends with 0 when the server answers what the stack says, 1 when it answers "
        "otherwise, 2 when it does not answer, or the records cannot be read.",
    )
    command.add_argument("--stack", help="the stack (default: the selected one)")
    command.add_argument("--records", type=Path, metavar="FILE", help="what `pulumi stack output --json` printed")
    command.add_argument(
        "--resolver", type=_server, metavar="ADDRESS[:PORT]", help="the name server (default: this computer's resolver)"
    )
    command.add_argument("--zone", help="the zone of the records (default: the name that all of them are below)")
    command.add_argument("--owner", help="marks the stack's records in the zone (default: henhouse-STACK)")
    command.add_argument(
        "--transfer",
        action="store_true",
        help="look through the whole zone for records that the stack no longer has; with DNS_KEY_NAME, DNS_KEY_SECRET",
    )
    shape = command.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print data instead of a table")
    shape.add_argument("--zone-file", action="store_true", help="print the records as lines of a zone file; no queries")
    shape.add_argument("--write", type=Path, metavar="DIRECTORY", help="write octoDNS's configuration; no queries")
    return command


def run(options: argparse.Namespace) -> Exit:
    """Do it, and return the exit status."""
    try:
        records = _records(options)
        if options.zone_file:
            print(dns_zone(records), end="")
        elif options.write:
            write(records, options.zone or default_zone(records), _owner(options), options.write)
        else:
            return _compare(options, records)
    except (DnsError, EngineError, StateError) as error:
        print(error, file=sys.stderr)
        return Exit.UNSEEN
    return Exit.SAME


def _records(options: argparse.Namespace) -> list[Record]:
    if options.records is None:
        return records_of(StackClient(options.stack).outputs())
    try:
        return records_of(json.loads(options.records.read_text()))
    except (OSError, ValueError, DnsError) as error:
        raise DnsError(f"--records {options.records}: {error}") from None


def _compare(options: argparse.Namespace, records: Sequence[Record]) -> Exit:
    server = options.resolver or _own_resolver()
    found = list(compare(records, server))
    if options.transfer:
        zone = options.zone or default_zone(records)
        found += orphans(records, zone, _owner(options), server, _key(os.environ.get))
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    else:
        show(found, records, server)
    return Exit.DIFFERENT if found else Exit.SAME


def show(found: Sequence[Finding], records: Sequence[Record], server: Server) -> None:
    """Print the answer for people."""
    if found:
        rows = [list(asdict(each).values()) for each in found]
        console().print(table(("name", "type", "it is", "expected", "found"), rows))
    else:
        console().print(f"{server} answers what the stack says: {len(records)} record sets.")


def _owner(options: argparse.Namespace) -> str:
    if options.owner or options.stack or options.records is None:
        return str(options.owner or f"henhouse-{StackClient(options.stack).name.rpartition('/')[2]}")
    raise DnsError("--records does not say whose records these are: name the stack with --owner NAME")


def _key(given: Any) -> Key | None:
    name, secret = given("DNS_KEY_NAME"), given("DNS_KEY_SECRET")
    return Key(name, secret, given("DNS_KEY_ALGORITHM") or "hmac-sha256") if name and secret else None


def _own_resolver() -> Server:
    try:
        return Server(str(dns.resolver.Resolver().nameservers[0]))
    except (dns.resolver.NoResolverConfiguration, IndexError):
        raise DnsError("this computer has no resolver: name one with --resolver ADDRESS[:PORT]") from None


def _server(text: str) -> Server:
    try:
        return server_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: accepted is ADDRESS, ADDRESS:PORT or [IPv6 ADDRESS]:PORT") from None
