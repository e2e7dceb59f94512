"""A registry of the site's own on the campus: it has the rack's images, and takes more."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from lab.mirror.registry import REGISTRY, registry_configuration
from tests.acceptance.site import eventually, in_the_rack, inside

ADDRESS: Final = IPv4Address("198.18.0.1")
PORT: Final = 5001


@contextmanager
def own_registry(log: Path) -> Iterator[str]:
    """Serve it beside the rack's own registry; yield its URL. What is pushed is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="henhouse-registry-") as place:
        for name in ("new", "work", "all"):
            Path(place, name).mkdir()
        configuration = Path(place, "registry.json")
        configuration.write_text(registry_configuration(Path(place, "all"), ADDRESS, PORT, read_only=False))
        layers = f"lowerdir={REGISTRY.path},upperdir={place}/new,workdir={place}/work"
        script = f"mount -t overlay -o {layers} overlay {place}/all && exec docker-registry serve {configuration}"
        command = in_the_rack("unshare", "--mount", "sh", "-c", script)
        with open(log, "wb") as output:
            server = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        try:
            url = f"http://{ADDRESS}:{PORT}"
            eventually("the registry", lambda: _answers(f"{url}/v2/"), seconds=60)
            yield url
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)


def push(source: str, name: str) -> None:
    """Bring an image into it, under the name that it would have at its own registry; `source` as skopeo has it."""
    inside("skopeo", "copy", "--quiet", "--dest-tls-verify=false", source, f"docker://{ADDRESS}:{PORT}/{name}")


def _answers(url: str) -> bool:
    return inside("curl", "--silent", "--fail", "--output", "/dev/null", url, check=False).returncode == 0
