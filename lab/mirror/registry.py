"""The image registry: Debian's docker-registry over a directory that is filled once and then only read."""

import json
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from lab.cache import Artifact
from lab.mirror.images import all_images
from lab.mirror.waiting import wait_until
from lab.processes import dying_with_us, run

_LOOPBACK: Final = IPv4Address("127.0.0.1")


def registry_configuration(
    storage: Path, address: IPv4Address, port: int, *, read_only: bool, guarded_by: Path | None = None
) -> str:
    """Return the server's settings as JSON, which is also YAML.

    The directory `guarded_by` has `tls.crt` and `tls.key`, and in `htpasswd` the accounts that may pull and push. If
    omitted, everyone may, without TLS. See https://distribution.github.io/distribution/about/configuration/.
    """
    tls = {"tls": {"certificate": f"{guarded_by}/tls.crt", "key": f"{guarded_by}/tls.key"}} if guarded_by else {}
    accounts = {"auth": {"htpasswd": {"realm": "images", "path": f"{guarded_by}/htpasswd"}}} if guarded_by else {}
    return json.dumps(
        {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(storage)},
                "maintenance": {"uploadpurging": {"enabled": False}, "readonly": {"enabled": read_only}},
            },
            "http": {"addr": f"{address}:{port}", **tls},
            **accounts,
        },
        indent=2,
    )


def _fill(output: Path) -> None:
    with writable_registry(output) as server:
        for image in all_images():
            origin, target = f"oci:{image.layout.path}/oci:{image.tag}", f"docker://{server}/{image.reference}"
            run(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", origin, target])


@contextmanager
def writable_registry(storage: Path) -> Iterator[str]:
    """Run a registry on the loopback, open to all, while the block runs; yield its host and port."""
    with socket.create_server((str(_LOOPBACK), 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="registry-") as directory:
        configuration = Path(directory) / "registry.yml"
        configuration.write_text(registry_configuration(storage, _LOOPBACK, port, read_only=False))
        with open(Path(directory) / "log", "wb") as log:
            server = subprocess.Popen(
                dying_with_us(["docker-registry", "serve", str(configuration)]), stdout=log, stderr=log
            )
        try:
            wait_until(
                lambda: _accepts(port), alive=lambda: server.poll() is None, what="docker-registry", log=Path(log.name)
            )
            yield f"{_LOOPBACK}:{port}"
        finally:
            server.terminate()
            server.wait()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((str(_LOOPBACK), port), timeout=1).close()
    except OSError:
        return False
    return True


REGISTRY: Final = Artifact(
    "registry",
    "filling the image registry",
    _fill,
    {"images": sorted(image.reference for image in all_images())},
    needs=tuple(image.layout for image in all_images()),
)
"""The storage directory with every image."""
