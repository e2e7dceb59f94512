"""What a pool and its datasets are to be, for the program that makes them on the machine."""

from typing import Final

from programs.zpool.layout import Layout, Spec, Vdev
from stacks.settings import HomesSettings, PoolSettings

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


def homes_dataset(pool: PoolSettings, homes: HomesSettings) -> str:
    """Return the name of the dataset with people's homes, for example nest/homes."""
    return f"{pool.name}/{homes.dataset}"


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


def spec(pool: PoolSettings, homes: HomesSettings) -> Spec:
    """Return the pool's specification for the program on its machine."""
    return Spec(
        name=pool.name,
        layout=Layout(
            vdevs=tuple(Vdev(vdev.type, vdev.disks) for vdev in pool.vdevs), log=_log(pool.log), spares=pool.spares
        ),
        pool_properties={"ashift": str(pool.ashift), **POOL_PROPERTIES},
        datasets={
            pool.name: {**ROOT_PROPERTIES, "mountpoint": mountpoint(pool.name)},
            homes_dataset(pool, homes): HOMES_PROPERTIES,
        },
    )


def _log(disks: tuple[str, ...]) -> tuple[Vdev, ...]:
    """One disk, or a mirror of all."""
    if not disks:
        return ()
    return (Vdev("mirror" if len(disks) > 1 else "disk", disks),)
