"""What tells one machine from another: the files that its installation would have written for it alone."""

import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lab.keys import ADMINISTRATOR, private_key, public_key
from lab.processes import run
from lab.rack import MachineSpec, Rack, RackError

KEYRING = "usr/share/keyrings/site-mirror.gpg"
"""Where a machine looks for the public key of the site's package mirror."""


@dataclass(frozen=True)
class GuestFile:
    """A file of a guest, owned by root."""

    path: str
    """Without a leading slash."""
    content: bytes
    mode: int = 0o644


def network_file(rack: Rack, spec: MachineSpec, link: str) -> str:
    """Return the static configuration of the only wired link, systemd.network(5)."""
    address = f"{spec.address}/{rack.campus.interface.network.prefixlen}"
    return (
        f"[Match]\nName={link}\n\n"
        f"[Network]\nAddress={address}\nGateway={rack.default_route(spec)}\n"
        "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )


def identity(rack: Rack, spec: MachineSpec, link: str, keyring: Path | None) -> tuple[GuestFile, ...]:
    """All files that are this machine's own; `link` is what its kernel calls its network interface.

    Each installation has a machine-id(5) of its own. The SSH key stays: a stack pins it.
    """
    hosts = f"127.0.0.1 localhost\n127.0.1.1 {spec.name}\n::1 localhost ip6-localhost ip6-loopback\n"
    files = (
        GuestFile("etc/hostname", f"{spec.name}\n".encode()),
        GuestFile("etc/hosts", hosts.encode()),
        GuestFile("etc/machine-id", f"{uuid.uuid4().hex}\n".encode(), 0o444),
        GuestFile("etc/systemd/network/10-wired.network", network_file(rack, spec, link).encode()),
        GuestFile("etc/ssh/ssh_host_ed25519_key", private_key(spec.name), 0o600),
        GuestFile("etc/ssh/ssh_host_ed25519_key.pub", f"{public_key(spec.name)}\n".encode()),
        GuestFile("root/.ssh/authorized_keys", f"{public_key(ADMINISTRATOR)}\n".encode(), 0o600),
    )
    return files if keyring is None else (*files, GuestFile(KEYRING, keyring.read_bytes()))


def into_directory(files: Iterable[GuestFile], root: Path) -> None:
    """Write the files into a root file system on this computer."""
    for file in files:
        target = root / file.path
        target.parent.mkdir(mode=0o700 if target.parent.name == ".ssh" else 0o755, parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_bytes(file.content)
        target.chmod(file.mode)


def debugfs_commands(files: Iterable[GuestFile], staged: Path) -> str:
    """Commands for debugfs(8) that copy the files, already staged under `staged`, into an ext4 image."""
    made: set[str] = set()
    lines = []
    for file in files:
        for parent in reversed(PurePosixPath(file.path).parents[:-1]):
            if str(parent) not in made:
                made.add(str(parent))
                lines.append(f"mkdir /{parent}")
        lines += [f"rm /{file.path}", f"write {staged / file.path} /{file.path}"]
    return "\n".join(lines) + "\n"


def into_image(files: Iterable[GuestFile], image: Path) -> None:
    """Write the files into an ext4 image without mounting it."""
    files = tuple(files)
    with tempfile.TemporaryDirectory() as directory:
        staged = Path(directory)
        into_directory(files, staged)
        run(["debugfs", "-w", "-f", "-", str(image)], stdin=debugfs_commands(files, staged).encode())
        for file in files:  # debugfs reports no failure in its exit status
            found = run(["debugfs", "-R", f"cat /{file.path}", str(image)]).stdout
            if found != file.content:
                raise RackError(f"could not write /{file.path} into {image}; is debugfs (e2fsprogs) in order?")
