"""A registry of the site's own on the campus: it has the rack's images, and takes more."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import bcrypt

from lab.mirror.registry import REGISTRY, registry_configuration
from tests.acceptance.site import accepts, in_the_rack, inside
from tests.certificates import Authority
from tests.tools import eventually

ADDRESS: Final = IPv4Address("198.18.0.1")
PORT: Final = 5001


@dataclass(frozen=True)
class Guard:
    """What keeps strangers from a registry: an account, and TLS by an authority of its own."""

    authority: Authority
    user: str
    password: str

    def write(self, directory: Path) -> None:
        """Write what the registry reads."""
        directory.mkdir()
        certificate, key = self.authority.issue("registry.test", address=ADDRESS)
        hashed = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(4)).decode()
        for name, text in (("tls.crt", certificate), ("tls.key", key), ("htpasswd", f"{self.user}:{hashed}\n")):
            (directory / name).write_text(text)


@contextmanager
def own_registry(log: Path, guard: Guard | None = None) -> Iterator[str]:
    """Serve it beside the rack's own registry; yield its URL. What is pushed is gone afterwards.

    Without a guard, everyone may pull and push.
    """
    with tempfile.TemporaryDirectory(prefix="henhouse-registry-") as place:
        for name in ("new", "work", "all"):
            Path(place, name).mkdir()
        configuration, guarded_by = Path(place, "registry.json"), Path(place, "guard") if guard else None
        if guard and guarded_by:
            guard.write(guarded_by)
        configuration.write_text(
            registry_configuration(Path(place, "all"), ADDRESS, PORT, read_only=False, guarded_by=guarded_by)
        )
        layers = f"lowerdir={REGISTRY.path},upperdir={place}/new,workdir={place}/work"
        script = f"mount -t overlay -o {layers} overlay {place}/all && exec docker-registry serve {configuration}"
        command = in_the_rack("unshare", "--mount", "sh", "-c", script)
        with open(log, "wb") as output:
            server = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        try:
            eventually("the registry", lambda: accepts(ADDRESS, PORT), seconds=60)
            yield f"{'https' if guard else 'http'}://{ADDRESS}:{PORT}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)


def push(source: str, name: str, guard: Guard | None = None) -> None:
    """Bring an image into it, under the name that it would have at its own registry; `source` as skopeo has it."""
    account = (f"--dest-creds={guard.user}:{guard.password}",) if guard else ()
    target = f"docker://{ADDRESS}:{PORT}/{name}"
    inside("skopeo", "copy", "--quiet", "--dest-tls-verify=false", *account, source, target)
