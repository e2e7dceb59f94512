"""Checks across settings of the pool and the homes."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from programs.homes.names import ACCOUNT_UIDS
from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site

SMALLEST_VDEV: Final = {"mirror": 2, "raidz1": 3, "raidz2": 4, "raidz3": 5}
"""Fewest disks for a vdev to hold data beside its parity (zpoolconcepts(7))."""


TAKEN_PLACES: Final = (
    *("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "lost+found", "proc", "root", "run", "sbin"),
    *("sys", "tmp", "usr", "var"),
)
"""Directories of every Debian that are not for a site to fill (Filesystem Hierarchy Standard 3.0, 3)."""
RESERVED_POOL_WORDS: Final = ("mirror", "raidz", "draid", "spare", "log")
"""No pool may be named so, or begin with any of the first four (zpool-create(8))."""


def pool_on_its_host(site: Site) -> Iterator[Problem]:
    """See to it that the pool's machine exists and keeps data."""
    name = site.storage.pool.host
    host = site.hosts.get(name)
    if host is None:
        yield Problem("storage.pool.host", f"{name} is not one of the hosts", accepted=", ".join(sorted(site.hosts)))
    elif "storage" not in host.duties:
        yield Problem(
            "storage.pool.host",
            f"{name}'s duties are {', '.join(host.duties)}",
            accepted="a host whose duty is storage",
        )


def pool_shape(site: Site) -> Iterator[Problem]:
    """ZFS would take an uneven pool by force; we do not force."""
    pool = site.storage.pool
    if pool.name == "log" or pool.name.startswith(RESERVED_POOL_WORDS[:4]):
        yield Problem("storage.pool.name", f"{pool.name} is a word of ZFS's own", accepted="another name")
    elif re.match("c[0-9]", pool.name):
        yield Problem("storage.pool.name", f"{pool.name} is what ZFS takes for a disk", accepted="another name")
    if pool.name in TAKEN_PLACES:
        yield Problem(
            "storage.pool.name",
            f"its datasets would be mounted in /{pool.name}, where programs and Debian's own files are",
            accepted="another name, such as nest",
        )
    first = pool.vdevs[0]
    for number, vdev in enumerate(pool.vdevs):
        path = f"storage.pool.vdevs.{number}"
        if len(vdev.disks) < SMALLEST_VDEV[vdev.type]:
            yield Problem(
                f"{path}.disks",
                f"{len(vdev.disks)} disks are too few for {vdev.type}",
                accepted=f"{SMALLEST_VDEV[vdev.type]} or more",
            )
        if (vdev.type, len(vdev.disks)) != (first.type, len(first.disks)):
            yield Problem(
                path,
                f"{vdev.type} of {len(vdev.disks)} disks beside {first.type} of {len(first.disks)}",
                accepted="vdevs of one type and width",
            )


def disks_once(site: Site) -> Iterator[Problem]:
    """Give each disk one place."""
    pool = site.storage.pool
    places: list[tuple[str, Sequence[str]]] = [
        *((f"storage.pool.vdevs.{number}.disks", vdev.disks) for number, vdev in enumerate(pool.vdevs)),
        ("storage.pool.log", pool.log),
        ("storage.pool.spares", pool.spares),
    ]
    seen: dict[str, str] = {}
    for path, disks in places:
        for disk in disks:
            if disk in seen:
                yield Problem(path, f"{disk} is also in {seen[disk]}")
            seen.setdefault(disk, path)


def ids_apart(site: Site) -> Iterator[Problem]:
    """Refuse ids that two give: the file server, which counts, and a provider, which numbers its accounts."""
    first = site.storage.homes.first_uid
    if site.hub.login.numbers_accounts and first >= ACCOUNT_UIDS.start:
        yield Problem(
            "storage.homes.first_uid",
            f"{first}: hub.login, {site.hub.login.type}, gives people the ids from {ACCOUNT_UIDS.start} on",
            accepted=f"a smaller number than {ACCOUNT_UIDS.start}",
        )


CHECKS: Final[tuple[Check, ...]] = (
    pool_on_its_host,
    pool_shape,
    disks_once,
    ids_apart,
)
