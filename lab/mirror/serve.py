"""Runs the mirror's two servers on the rack's campus: packages and manifests on port 80, images on port 5000."""

import sys
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from lab.mirror.registry import registry_configuration
from lab.mirror.waiting import wait_until
from lab.network import inside
from lab.processes import run, running, start, stop
from lab.rack import Rack

HTTP_PORT: Final = 80
REGISTRY_PORT: Final = 5000
_HTTP_UNIT: Final = "mirror-http"
_REGISTRY_UNIT: Final = "mirror-registry"


@dataclass(frozen=True)
class Mirror:
    """What a built mirror consists of; every path is in the cache and only ever read."""

    root: Path
    """Directory served over HTTP: the apt repositories ``debian`` and ``site``, and ``calico``."""
    registry: Path
    """Storage directory of the image registry."""
    keyring: Path
    """Public OpenPGP key that signs both apt repositories, binary, for ``Signed-By``."""


@dataclass(frozen=True)
class MirrorStatus:
    """Which of the two servers run."""

    http: bool
    registry: bool


def start_mirror(rack: Rack, mirror: Mirror) -> None:
    """Start both servers on the campus address and wait until they accept connections.

    Servers that already run are left alone, unless they show another mirror. Logs go to ``mirror`` in the rack's
    run state. Raise `RackError` with the end of the server's log when one does not come up.
    """
    directory = rack.state / "mirror"
    directory.mkdir(parents=True, exist_ok=True)
    address = rack.campus.interface.ip
    configuration = directory / "registry.yml"
    shown = directory / "shown"
    wanted = f"{mirror.root}\n{mirror.registry}\n"
    if not shown.exists() or shown.read_text() != wanted:
        stop_mirror(rack)
    configuration.write_text(registry_configuration(mirror.registry, address, REGISTRY_PORT, read_only=True))
    commands = {
        _HTTP_UNIT: http_command(mirror.root, address),
        _REGISTRY_UNIT: ["docker-registry", "serve", str(configuration)],
    }
    for unit, command in commands.items():
        start(rack, unit, inside(rack, command), log=directory / f"{unit}.log")
    for unit, port in ((_HTTP_UNIT, HTTP_PORT), (_REGISTRY_UNIT, REGISTRY_PORT)):
        wait_until(
            partial(_accepts, rack, port),
            alive=partial(running, rack, unit),
            what=unit,
            log=directory / f"{unit}.log",
        )
    shown.write_text(wanted)


def http_command(root: Path, address: IPv4Address) -> list[str]:
    """Python's own file server; with HTTP/1.1, apt fetches all its packages over one connection."""
    server = ["-m", "http.server", "--protocol", "HTTP/1.1", "--bind", str(address), "--directory", str(root)]
    return [sys.executable, *server, str(HTTP_PORT)]


def _accepts(rack: Rack, port: int) -> bool:
    probe = f"exec 3<>/dev/tcp/{rack.campus.interface.ip}/{port}"
    return run(inside(rack, ["bash", "-c", probe]), check=False).returncode == 0


def stop_mirror(rack: Rack) -> None:
    """End both servers; do nothing when there are none."""
    for unit in (_HTTP_UNIT, _REGISTRY_UNIT):
        stop(rack, unit)


def mirror_status(rack: Rack) -> MirrorStatus:
    """Which of the rack's servers run now."""
    return MirrorStatus(http=running(rack, _HTTP_UNIT), registry=running(rack, _REGISTRY_UNIT))
