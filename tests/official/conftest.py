"""One machine as Debian's installer leaves it, in a rack where the official hosts answer."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from components.contracts.cluster import Membership
from components.machines.node import baseline
from components.machines.roles import sources
from converge.role import Role
from lab import lifecycle
from lab.builder import make_all
from lab.mirror.waiting import wait_until
from lab.network import inside
from lab.processes import run, running, start
from lab.rack import Rack
from stacks.load import parse_settings
from tests.certificates import Authority
from tests.converge.scripts import MACHINE, RackShell
from tests.official import server
from tests.official.layout import SUITE, Keys, Official, artifacts
from tests.stacks.sites import changed, tree

RACK: Final = Rack.model_validate(
    {
        "name": "official",
        "campus": {"interface": "198.18.0.1/19", "gateway": MACHINE},
        "machines": [{"name": MACHINE, "kind": "nspawn", "address": "198.18.0.100", "memory": "2G"}],
    }
)
AUTHORITY: Final = "/usr/local/share/ca-certificates/campus.crt"

# Debian's installer asks for the mirror by its name and writes these lines (apt-setup's generators). A minimal Debian
# has no authorities of TLS. Who signs is the one thing that has to be another here.
_INSTALLED: Final = f"""
set -e
rm -f /etc/apt/trusted.gpg.d/* /usr/share/keyrings/debian-archive-*
cat >/etc/apt/trusted.gpg.d/debian-archive-{SUITE}.asc
printf '%s\\n' >/etc/apt/sources.list \\
  '#deb cdrom:[Debian GNU/Linux 13 _Trixie_ - Official amd64 NETINST]/ {SUITE} contrib main non-free-firmware' \\
  'deb http://{server.DEBIAN}/debian/ {SUITE} main' 'deb-src http://{server.DEBIAN}/debian/ {SUITE} main' \\
  'deb http://{server.SECURITY}/debian-security {SUITE}-security main' \\
  'deb-src http://{server.SECURITY}/debian-security {SUITE}-security main' \\
  'deb http://{server.DEBIAN}/debian/ {SUITE}-updates main' \\
  'deb-src http://{server.DEBIAN}/debian/ {SUITE}-updates main'
sed -i '/official/d' /etc/hosts
for name in {" ".join(server.HOSTS)}; do echo "198.18.0.1 $name # official" >>/etc/hosts; done
dpkg --purge --force-depends ca-certificates
rm -rf /etc/ssl/certs
"""


@pytest.fixture(scope="package")
def official() -> Iterator[Official]:
    """Provide the hosts' files; the hosts answer as long as the machine is there."""
    make_all(tuple(artifacts()))
    with tempfile.TemporaryDirectory(prefix="gpg-") as short:
        keys = Keys.make(Path(short))
        # Removed by the rack's `down`, and not read by the user _apt but by the server.
        found = Official(RACK.state / "official", keys)
        yield found
        for key in (keys.debian, keys.kubernetes, keys.docker):
            subprocess.run(["gpgconf", "--homedir", key.home, "--kill", "all"], check=True)


@pytest.fixture(scope="package")
def machine(official: Official) -> Iterator[RackShell]:
    """Provide the machine."""
    with lifecycle.only_one(RACK):
        try:
            lifecycle.up(RACK)
            official.write()
            authority = Authority()
            serve(official, authority)
            shell = RackShell(RACK, MACHINE)
            done = shell.run(_INSTALLED, official.keys.debian.public)
            assert done.status == 0, done.stderr
            shell.run(f"mkdir -p /usr/local/share/ca-certificates; cat >{AUTHORITY}", authority.pem)
            yield shell
        finally:
            lifecycle.down(RACK)


def serve(official: Official, authority: Authority) -> None:
    """Start the hosts, on the rack's campus."""
    certificate = official.root / "certificate"
    certificate.write_text("".join(authority.issue(*server.HOSTS)))
    address = str(RACK.campus.interface.ip)
    command = [sys.executable, server.__file__, address, str(official.root), str(certificate)]
    log = RACK.state / "official.log"
    start(RACK, "official", inside(RACK, command), log=log)
    wait_until(partial(_answer, address), alive=partial(running, RACK, "official"), what="the official hosts", log=log)


def _answer(address: str) -> bool:
    return run(inside(RACK, ["bash", "-c", f"exec 3<>/dev/tcp/{address}/443"]), check=False).returncode == 0


@pytest.fixture(scope="package", autouse=True)
def _signed_here(official: Official) -> Iterator[None]:
    """Docker's own key is in the program's data, and has no setting."""
    known = sources._key
    docker = official.keys.docker.public
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_key", lambda name: docker if name == "docker" else known(name))
        yield


def roles_with(kubernetes_key: str) -> Mapping[str, Role]:
    """Return the roles of a machine of the dev stack without mirrors, by name, in order."""
    site = parse_settings({**changed(tree("dev"), {"mirrors": None}), "mirrors": {"kubernetes_key": kubernetes_key}})
    return {role.name: role for role in baseline(MACHINE, site, Membership.of(site.cluster))}


@pytest.fixture(scope="package")
def roles(official: Official) -> Mapping[str, Role]:
    """Provide them."""
    return roles_with(official.keys.kubernetes.public)


@pytest.fixture(scope="package")
def installed(machine: RackShell, roles: Mapping[str, Role]) -> RackShell:
    """Provide the machine with all of its roles."""
    for role in roles.values():
        answer = machine.apply(role)
        assert answer.status == 0, f"{role.name}: {answer.stderr}"
    return machine
