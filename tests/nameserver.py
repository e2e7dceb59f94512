"""Knot DNS on the loopback, authoritative for one zone, which a key may transfer and update."""

import base64
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dns.exception
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update

from ops.names import DnsError, Server, answer
from tests import tools

ADDRESS: Final = "127.0.0.1"
KEY: Final = "dns-job"
_ZONE: Final = """\
$ORIGIN {zone}
@ 300 SOA ns1 admin 1 3600 600 86400 300
@ 300 NS ns1
ns1 300 A 198.18.0.53
mail 300 A 198.18.0.25
"""
_CONFIGURATION: Final = """\
server:
    rundir: {directory}/run
    listen: {address}@{port}
log:
  - target: stderr
    any: info
database:
    storage: {directory}/database
key:
  - id: {key}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: job
    key: {key}
    action: [transfer, update]
zone:
  - domain: {zone}
    file: {directory}/zone
    acl: job
"""


@dataclass(frozen=True)
class NameServer:
    """A running server. Its zone holds `mail`, which is not a name of the site."""

    zone: str
    port: int
    secret: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What a job that updates the zone is given."""
        return {
            "DNS_SERVER": ADDRESS,
            "DNS_PORT": str(self.port),
            "DNS_ZONE": self.zone,
            "DNS_KEY_NAME": KEY,
            "DNS_KEY_SECRET": self.secret,
        }

    def change(self, name: str, kind: str, *values: str, ttl: int = 300) -> None:
        """Set a record by hand; without values, delete it."""
        ring = dns.tsigkeyring.from_text({KEY: self.secret})
        update = dns.update.UpdateMessage(self.zone, keyring=ring, keyalgorithm="hmac-sha256")
        if values:
            update.replace(name, ttl, kind, *values)
        else:
            update.delete(name, kind)
        said = dns.query.tcp(update, ADDRESS, port=self.port, timeout=10)
        assert said.rcode() == dns.rcode.NOERROR, dns.rcode.to_text(said.rcode())

    def holds(self, name: str, kind: str) -> set[str]:
        """Return what it answers."""
        return set(answer(name, kind, Server(ADDRESS, self.port))[0])


@contextmanager
def name_server(zone: str, directory: Path) -> Iterator[NameServer]:
    """Run a server while the block runs; its files are in `directory`."""
    port = tools.free_port()
    found = NameServer(zone, port, base64.b64encode(secrets.token_bytes(32)).decode())
    for name in ("run", "database"):
        (directory / name).mkdir()
    (directory / "zone").write_text(_ZONE.format(zone=zone))
    settings = directory / "knot.conf"
    settings.write_text(
        _CONFIGURATION.format(directory=directory, address=ADDRESS, port=port, key=KEY, secret=found.secret, zone=zone)
    )
    with tools.running("knotd", "--config", str(settings), log=directory / "log") as process:
        _wait_for(found, process, directory / "log")
        yield found


def _wait_for(found: NameServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if found.holds(f"mail.{found.zone}", "A"):
                return
        except DnsError:
            pass
        assert process.poll() is None, f"knotd ended:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"knotd does not answer:\n{log.read_text()}"
        time.sleep(0.1)
