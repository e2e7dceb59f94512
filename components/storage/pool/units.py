"""The units that import a pool and mount its datasets at boot, in this order and without guessing when disks are there.

Debian's own zfs-import-cache.service waits for `systemd-udev-settle`, which ends when no event is queued, not when the
disks are there, and which fails after two minutes on a busy machine: the pool stays out while everything that needs it
continues. The import here waits for the very disks of the pool, and what needs a dataset is bound to its mount unit.
"""

import re
from collections.abc import Sequence
from typing import Final

from components.templates import render
from programs.zpool.layout import BY_ID

REPLACED: Final = ("zfs-import-cache.service", "zfs-import-scan.service", "zfs-load-module.service")
"""Debian's units that need `systemd-udev-settle`. The module comes from modules-load.d."""


def unit_name(path: str, suffix: str) -> str:
    """Return the name of the unit for a path, as `systemd-escape --path` writes it (systemd.unit(5))."""
    parts = [part for part in path.split("/") if part]
    escaped = [re.sub(r"[^A-Za-z0-9:_.]", lambda found: f"\\x{ord(found[0]):02x}", part) for part in parts]
    joined = "-".join(escaped)
    if joined.startswith("."):
        joined = f"\\x2e{joined[1:]}"
    return f"{joined or '-'}.{suffix}"


def import_unit_name(pool: str) -> str:
    """Return the name of the unit that imports the pool: after it the pool is imported, or cannot be."""
    return f"zfs-import-{pool}.service"


def import_unit(pool: str, disks: Sequence[str], mounts: Sequence[str], otherwise: str) -> str:
    """Return the unit that imports the pool as soon as its disks are there.

    It imports the pool degraded when some disks never come (after 90 s, the time that systemd gives a device), and
    tries again every half minute while too few are there. `otherwise` is a command that takes over when the import by
    name fails: the machine may have another hostid than when it had the pool.
    """
    devices = [unit_name(f"{BY_ID}/{disk}-part1", "device") for disk in disks]
    return render(
        __file__, "zfs-import.service", pool=pool, by_id=BY_ID, devices=devices, mounts=mounts, otherwise=otherwise
    )


def mount_unit(dataset: str, mountpoint: str, pool: str) -> str:
    """Return the unit that mounts a dataset.

    `zfs mount -a` would mount it as well, but other units can require only a unit with a file (systemd.unit(5),
    RequiresMountsFor=).
    """
    return render(__file__, "dataset.mount", dataset=dataset, mountpoint=mountpoint, importing=import_unit_name(pool))
