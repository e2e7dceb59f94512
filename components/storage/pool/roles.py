"""The roles of the machine that holds the pool."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from components.storage.pool import topology, units
from components.templates import render
from converge.items import File, Item, KernelModule, Package, Script, Unit
from converge.program import command, installed, path_of
from converge.role import Fact, Role
from programs import zpool
from stacks.settings import PoolSettings, StorageSettings

PROGRAM: Final = path_of(zpool)
SPECS: Final = "/etc/henhouse/zpool"
SYSTEM: Final = "/etc/systemd/system"


def zfs_role(pool: PoolSettings) -> Role:
    """Return the role with OpenZFS, its module loaded, its event daemon, and this project's program for pools."""
    return Role("zfs", tuple(_zfs_items(pool)))


def _zfs_items(pool: PoolSettings) -> Iterator[Item]:
    # Before the packages: their installation starts these units, and they would wait minutes for nothing.
    for name in units.REPLACED:
        yield Unit(name, masked=True)
    # Before the packages, too: zfsutils-linux would make a random one, other at each installation. One that is there
    # stays: a pool may know the machine by it.
    yield Script(
        "host id",
        check="[[ $(stat --format=%s /etc/hostid) == 4 ]]",
        apply=f"printf '{_hostid(pool)}' >/etc/hostid\nchmod 0644 /etc/hostid",
    )
    if pool.module_package == "zfs-dkms":
        # DKMS compiles against them, and only recommends them.
        yield Package("linux-headers-amd64")
        check, apply = (_script("headers.sh", f"headers.{verb}.sh") for verb in ("check", "apply"))
        yield Script("headers of the kernel", check, apply)
    yield Package(pool.module_package)
    yield Package("zfsutils-linux")
    yield Package("zfs-zed")
    yield Package("smartmontools")
    if pool.module_package == "zfs-dkms":
        # Where an installation was cut short, or the kernel changed since.
        yield Script("zfs for the running kernel", _script("module.check.sh"), _script("module.apply.sh"))
    yield KernelModule("zfs")
    yield Unit("zfs-zed.service")
    yield Unit("zfs.target")
    yield Unit("zfs-import.target")
    yield from installed(zpool)
    yield command(zpool)
    yield File(f"{SYSTEM}/henhouse-zpool-metrics@.service", render(__file__, "henhouse-zpool-metrics@.service"))
    yield File(f"{SYSTEM}/henhouse-zpool-metrics@.timer", render(__file__, "henhouse-zpool-metrics@.timer"))


def _script(*names: str) -> str:
    return "".join((Path(__file__).parent / "scripts" / name).read_text() for name in names)


def _hostid(pool: PoolSettings) -> str:
    """Return the machine's hostid, as printf(1) takes it: the same after each installation, another at each site."""
    what = "/".join((pool.host, pool.name, *pool.vdevs[0].disks))
    first, *others = hashlib.sha256(what.encode()).digest()[:4]
    # 0 and ffffffff mean none (zgenhostid(8)).
    return "".join(f"\\x{byte:02x}" for byte in (first & 0x7F | 0x01, *others))


def pool_role(storage: StorageSettings) -> Role:
    """Return the role in which the pool is imported and laid out as the settings say.

    The pool's datasets are mounted now and after every boot. The pool is scrubbed monthly and watched.
    """
    pool, spec = storage.pool, topology.spec(storage)
    path = f"{SPECS}/{pool.name}.json"
    importing, homes = units.import_unit_name(pool.name), topology.homes_dataset(storage)
    mounts = {
        units.unit_name(topology.mountpoint(dataset), "mount"): dataset
        for dataset, properties in spec.datasets.items()
        if properties["canmount"] == "on"
    }
    mount_units = [
        File(f"{SYSTEM}/{name}", units.mount_unit(dataset, topology.mountpoint(dataset), pool.name))
        for name, dataset in mounts.items()
    ]
    return Role(
        "pool",
        (
            File(path, spec.text()),
            Script(f"pool {pool.name}", check=f"{PROGRAM} check {path}", apply=f"{PROGRAM} apply {path}"),
            File(
                f"{SYSTEM}/{importing}",
                units.import_unit(pool.name, topology.disks(pool), list(mounts), f"{PROGRAM} import {path}"),
            ),
            *mount_units,
            Unit(importing),
            # Those of what people share: after the homes, and in a role of their own.
            Unit(units.unit_name(topology.mountpoint(homes), "mount")),
            Unit(f"zfs-scrub-monthly@{pool.name}.timer"),
            Unit(f"henhouse-zpool-metrics@{pool.name}.timer"),
        ),
        facts=(Fact("guid", f"zpool get -H -o value guid {pool.name}"),),
    )
