"""The files of the file server as text."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from components.templates import render
from stacks.settings import HomesSettings
from stacks.settings.storage import Transport

PROVISIONER_PORT: Final = 8443
"""TCP port of the home provisioner."""
PROVISIONER_CLIENT: Final = "henhouse-hub"
"""Common name in the certificate of the one client that the home provisioner answers."""
PROVISIONER_USER: Final = "henhouse-homes"
CREDENTIALS: Final = "/etc/henhouse/homes"
"""Where the provisioner's certificate and key are kept."""

EXPORTS_ELSEWHERE: Final = "# Exports are in /etc/exports.d/henhouse.exports. A line here is removed again.\n"
ACCEPTED: Final[Mapping[Transport, str | None]] = {"tcp": None, "tls-preferred": "none:mtls", "tls": "mtls"}
"""Transport layer security that an export accepts, exports(5); None asks for nothing."""


def fsid(dataset: str) -> str:
    """Identity of the exported file system in NFS file handles. It follows from the dataset's name alone, so that a
    reinstalled or replaced server gives out the same handles."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"henhouse:{dataset}"))


@dataclass(frozen=True)
class Export:
    """A mounted dataset that clients may mount."""

    dataset: str
    mountpoint: str
    mount_unit: str
    read_only: bool = False
    transport: Transport = "tcp"

    @property
    def access(self) -> str:
        """`ro` or `rw`, as in exports(5)."""
        return "ro" if self.read_only else "rw"

    @property
    def fsid(self) -> str:
        """Identity of the exported file system, exports(5)."""
        return fsid(self.dataset)

    @property
    def security(self) -> str | None:
        """What the option `xprtsec` says; None where there is none."""
        return ACCEPTED[self.transport]

    @property
    def options(self) -> str:
        """Options, exports(5).

        `sync`: a write is acknowledged when it is on disk. `root_squash`: a node's root has no rights here. `mp`: an
        unmounted dataset's empty directory is not exported.
        """
        security = f",xprtsec={self.security}" if self.security else ""
        return f"{self.access},sync,root_squash,no_subtree_check,mp,fsid={self.fsid},sec=sys{security}"


def exports_file(exports: Iterable[Export], clients: Iterable[IPv4Address]) -> str:
    """Return the exports file, which exports the datasets to these addresses only."""
    allowed = list(clients)
    return "".join(
        f"{export.mountpoint} \\\n" + " \\\n".join(f"    {client}({export.options})" for client in allowed) + "\n"
        for export in exports
    )


def nfs_conf(homes: HomesSettings) -> str:
    """nfs.conf(5): NFS 4.2 over TCP and nothing else. The lease is as long as the grace period, or clients could not
    know in time that they have to reclaim their locks."""
    return render(__file__, "nfs.conf", threads=homes.threads, grace_seconds=homes.grace_seconds)


def bound_to(mountpoint: str, mount_unit: str) -> str:
    """Return a drop-in that lets a service run only while the dataset is mounted.

    Without it nfs-server would come up before the pool and show clients the empty mount point, and the clients would
    fail with ESTALE.
    """
    return render(__file__, "mounted.conf", mountpoint=mountpoint, mount_unit=mount_unit)


def after_mounts(mount_units: Iterable[str]) -> str:
    """Return a drop-in by which a service waits until these are mounted, or cannot be: without one of the shared
    directories there are still the homes."""
    units = list(mount_units)
    return "[Unit]\n" + "".join(f"{word}={unit}\n" for word in ("Wants", "After") for unit in units)


def started_by_mount(services: Iterable[str]) -> str:
    """Return a drop-in of the mount unit that starts these services whenever the dataset is mounted, late or again."""
    return "[Unit]\n" + "".join(f"Wants={service}\n" for service in services)


def provisioner_unit(mountpoint: str, address: IPv4Address, first_uid: int) -> str:
    """Return the unit of the service that makes homes: its own user may give files away, and do nothing else."""
    return render(
        __file__,
        "henhouse-homes.service",
        user=PROVISIONER_USER,
        mountpoint=mountpoint,
        first_uid=first_uid,
        address=address,
        port=PROVISIONER_PORT,
        client=PROVISIONER_CLIENT,
        credentials=CREDENTIALS,
    )
