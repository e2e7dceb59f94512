"""What a pool and its datasets are to be, for the program that makes them on the machine."""

from typing import Final

from programs.zpool.layout import Layout, Spec, Vdev
from stacks.settings import PoolSettings, StorageSettings
from stacks.settings.amounts import bytes_of

POOL_PROPERTIES: Final = {
    # SSDs of the log stay fast; disks that cannot trim are left alone.
    "autotrim": "on",
}
"""zpoolprops(7), beside the ashift of the settings."""

ROOT_PROPERTIES: Final = {
    "compression": "lz4",
    "atime": "off",
    # Attributes in the inode: ACLs and user attributes cost no further read. OpenZFS 2.3 calls this "on", even where
    # it was set as "sa".
    "xattr": "on",
    "acltype": "posix",
    # Nothing is kept in the root dataset itself, and nothing can be written there by mistake.
    "canmount": "off",
    # Debian also scrubs from cron; the timer of the pool's role does it, once a month.
    "org.debian:periodic-scrub": "disable",
}
"""zfsprops(7) of the pool's root dataset, inherited by all others except the last two."""

HOMES_PROPERTIES: Final = {
    "canmount": "on",
    # No file in a home lets a person act as another user.
    "setuid": "off",
    "devices": "off",
}
"""zfsprops(7) of the dataset with people's homes."""

WHOLE_POOL: Final = 2**60
"""Bytes, more than a pool has. To have no quota is written as `none`, and zfs-get(8) shows it as 0, which zfs-set(8)
refuses: a number is the same in both, and takes back a quota that the settings no longer have."""


def homes_dataset(storage: StorageSettings) -> str:
    """Return the name of the dataset with people's homes, for example nest/homes."""
    return f"{storage.pool.name}/{storage.homes.dataset}"


def share_datasets(storage: StorageSettings) -> dict[str, str]:
    """Return by share the names of the datasets that people share, for example nest/project."""
    return {name: f"{storage.pool.name}/{name}" for name in sorted(storage.shares)}


def mountpoint(dataset: str) -> str:
    """Where a dataset is mounted: every mount point is inherited from the pool's `/<pool>`."""
    return f"/{dataset}"


def disks(pool: PoolSettings) -> tuple[str, ...]:
    """Every disk of the pool, in the order of the settings: data, log, spares."""
    return (*(disk for vdev in pool.vdevs for disk in vdev.disks), *pool.log, *pool.spares)


def places(pool: PoolSettings) -> dict[str, str]:
    """Each disk's place in the pool, by the names that zpool(8) gives: raidz2-0, log, spare."""
    data = {disk: f"{vdev.type}-{number}" for number, vdev in enumerate(pool.vdevs) for disk in vdev.disks}
    return data | dict.fromkeys(pool.log, "log") | dict.fromkeys(pool.spares, "spare")


def spec(storage: StorageSettings) -> Spec:
    """Return the pool's specification for the program on its machine."""
    pool = storage.pool
    return Spec(
        name=pool.name,
        layout=Layout(
            vdevs=tuple(Vdev(vdev.type, vdev.disks) for vdev in pool.vdevs), log=_log(pool.log), spares=pool.spares
        ),
        pool_properties={"ashift": str(pool.ashift), **POOL_PROPERTIES},
        datasets={
            pool.name: {**ROOT_PROPERTIES, "mountpoint": mountpoint(pool.name)},
            homes_dataset(storage): HOMES_PROPERTIES,
            **{
                dataset: share_properties(storage.shares[name].quota)
                for name, dataset in share_datasets(storage).items()
            },
        },
    )


def share_properties(quota: str | None) -> dict[str, str]:
    """Return zfsprops(7) of a dataset that people share: those of the homes, ACLs, and how much its files may take."""
    return {
        **HOMES_PROPERTIES,
        # Inherited, unless an older system had set another: what files inherit in a share is an ACL.
        "acltype": ROOT_PROPERTIES["acltype"],
        "refquota": str(bytes_of(quota) if quota else WHOLE_POOL),
    }


def _log(disks: tuple[str, ...]) -> tuple[Vdev, ...]:
    """One disk, or a mirror of all."""
    if not disks:
        return ()
    return (Vdev("mirror" if len(disks) > 1 else "disk", disks),)
