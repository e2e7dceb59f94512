"""The pool, its datasets, and the file server."""

from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import Field

from stacks.settings.shares import ShareName, ShareSettings
from stacks.settings.types import DiskId, HostName, Model, spelled

PoolName = Annotated[
    str,
    spelled(
        r"^[A-Za-z][A-Za-z0-9_.-]{0,62}$", "up to 63 letters, digits, _, dots and hyphens, a letter first, such as nest"
    ),
]
"""A pool name; zpool-create(8) also reserves some words, which the checks across settings know."""

Transport = Literal["tcp", "tls-preferred", "tls"]
"""What lies between a client and the file server, and which of it the server accepts."""


class VdevSettings(Model):
    """One top-level virtual device of the pool (zpoolconcepts(7))."""

    type: Literal["mirror", "raidz1", "raidz2", "raidz3"]
    """The redundancy of this vdev."""
    disks: tuple[DiskId, ...] = Field(min_length=2)
    """Its disks, as names in /dev/disk/by-id."""


PackageName = Annotated[str, spelled(r"^[a-z0-9][a-z0-9+.-]{1,99}$", "the name of a Debian package, such as zfs-dkms")]


class PoolSettings(Model):
    """A ZFS pool. It is imported where it exists, created on blank disks only, and never destroyed."""

    name: PoolName
    """The pool's name, also its mount point (`/<name>`)."""
    host: HostName
    """The machine that holds the disks; its duties include `storage`."""
    ashift: int = Field(default=12, ge=9, le=16)
    """Sector size as a power of two. 12 (4 KiB) suits every disk sold today; it cannot be changed later
    (zpoolprops(7))."""
    vdevs: tuple[VdevSettings, ...] = Field(min_length=1)
    """The data vdevs. All have the same type and width, or ZFS itself refuses without force."""
    log: tuple[DiskId, ...] = ()
    """Disks of the separate intent log, mirrored when there are two or more. They need power loss protection."""
    spares: tuple[DiskId, ...] = ()
    """Hot spares."""
    module_package: PackageName = "zfs-dkms"
    """The Debian package that provides the kernel module. A mirror may carry one that is built already."""


class HomesSettings(Model):
    """The dataset with people's homes, and how it is exported."""

    dataset: Annotated[
        str,
        spelled(r"^[a-z][a-z0-9_-]{0,63}$", "up to 64 small letters, digits, _ and hyphens, such as homes"),
    ] = "homes"
    """Name of the dataset below the pool."""
    service_address: IPv4Address | None = None
    """The ClusterIP that stands for the file server in every PersistentVolume, out of `network.services`. If omitted,
    Kubernetes chooses one when it makes the Service, and the address stays."""
    transport: Transport = "tcp"
    """How homes and shared directories go over the network. `tcp`: in plain text, and a worker's address is all that
    the server asks for. `tls`: encrypted, and server and workers show each other certificates of an authority that the
    stack makes (RFC 9289). `tls-preferred`, on the way from one to the other: new mounts are made over TLS, and the
    server accepts the old ones as well (docs/nfs-tls.md)."""
    capacity: Annotated[str, spelled(r"^[1-9][0-9]{0,8}(Gi|Ti)$", "whole Gi or Ti, such as 500Gi or 1Ti")] = "1Ti"
    """Nominal size of the PersistentVolume. Not enforced by NFS; use quotas."""
    threads: int = Field(default=16, ge=1, le=1024)
    """Threads of the kernel's NFS server (nfsd(8))."""
    grace_seconds: int = Field(default=90, ge=10, le=300)
    """How long a restarted server lets clients reclaim their locks before it takes new ones; also the lease time
    (nfs.conf(5))."""
    first_uid: int = Field(default=100000, ge=1000, le=2_000_000_000)
    """The first numeric user id given to a home. Ids are never given twice. Homes with a smaller one are refused, so it
    cannot be more than what a home has: `pulumi up` says so, and changes nothing for people."""


class StorageSettings(Model):
    """People's data."""

    pool: PoolSettings
    """The pool."""
    homes: HomesSettings = HomesSettings()
    """The homes in it."""
    shares: dict[ShareName, ShareSettings] = Field(default={})
    """Directories that people share, by name: each is the dataset `<pool>/<name>`, which is made once and never
    destroyed."""
