"""Checks across settings of the directories that people share: names, places, groups."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from programs.homes.names import ACCOUNT_UIDS, ORGANIZATION_GIDS
from programs.hub.sharing import MOST_GROUPS
from stacks.checks.check import Check
from stacks.checks.mounts import nothing_can_be_in, why_refused
from stacks.problems import Problem
from stacks.settings import Site

SYSTEM_GIDS: Final = range(60000, 65536)
"""Ids of Debian's, of systemd's own, and of NFS's root (UIDS-GIDS of systemd); the file server gives none of them."""
PROGRAMS: Final = ("/bin", "/dev", "/etc", "/lib", "/lib64", "/opt/conda", "/proc", "/sbin", "/sys", "/usr")
"""Where images have programs, among them Jupyter's own (`/usr/local` or `/opt/conda`), and the kernel its files."""


def names_of_their_own(site: Site) -> Iterator[Problem]:
    """Refuse a share that would be the dataset of the homes."""
    homes = site.storage.homes.dataset
    if homes in site.storage.shares:
        yield Problem(
            f"storage.shares.{homes}",
            "is the dataset of the homes (storage.homes.dataset)",
            accepted="another name",
        )


def places_of_their_own(site: Site) -> Iterator[Problem]:
    """Give each share a path that leaves the system, the home and the other shares as they are."""
    taken: dict[PurePosixPath, str] = {}
    for name, share in site.storage.shares.items():
        place = PurePosixPath(share.path(name))
        where = f"storage.shares.{name}.mount_path"
        if why := why_refused(place, "user server", directory=True):
            yield Problem(where, f"{place} {why}", accepted="a directory of its own, such as /project")
        elif inside := next((each for each in PROGRAMS if place.is_relative_to(each)), None):
            yield Problem(
                where,
                f"{place} is in {inside}, where an image has its programs: the share would hide them",
                accepted="a directory of its own, such as /project",
            )
        for other, whose in taken.items():
            if place == other:
                yield Problem(where, f"{place} is also that of {whose}", accepted="one path per share")
            elif place.is_relative_to(other) or other.is_relative_to(place):
                inner, outer = (place, other) if place.is_relative_to(other) else (other, place)
                yield Problem(
                    where,
                    f"{place} and {other}, that of {whose}: {inner} is inside {outer}, where the node can make no "
                    "directory to mount it at",
                    accepted="paths that are not inside one another",
                )
        taken.setdefault(place, name)


def volumes_beside_shares(site: Site) -> Iterator[Problem]:
    """See to it that what a site adds to user servers has neither the name nor the place of a share."""
    server, path = site.hub.singleuser, "hub.singleuser"
    volumes = {f"share-{name}": name for name in site.storage.shares}
    for number, volume in enumerate(server.storage.extra_volumes):
        if volume.name in volumes:
            whose = f"storage.shares.{volumes[volume.name]}"
            yield Problem(
                f"{path}.storage.extraVolumes.{number}.name",
                f"{volume.name} is the volume of {whose}",
                accepted="another name",
            )
    added = {
        **{
            f"{path}.storage.extraVolumeMounts.{number}.mountPath": mount.mount_path
            for number, mount in enumerate(server.storage.extra_volume_mounts)
        },
        **{f"{path}.extraFiles.{key}.mountPath": file.mount_path for key, file in sorted(server.extra_files.items())},
    }
    for where, place in added.items():
        for name, share in site.storage.shares.items():
            mount = share.path(name)
            if PurePosixPath(place).is_relative_to(mount):
                problem = f"{place} is in {mount}, the directory of storage.shares.{name}"
                yield Problem(where, problem, accepted="a path outside it")


def shares_can_be_mounted(site: Site) -> Iterator[Problem]:
    """Refuse a volume in which there can be no place for a share: no server starts."""
    storage, where = site.hub.singleuser.storage, "hub.singleuser.storage.extraVolumeMounts"
    for number, mount in enumerate(storage.extra_volume_mounts):
        if not nothing_can_be_in(mount, storage.extra_volumes):
            continue
        for name, share in site.storage.shares.items():
            place = share.path(name)
            if place != mount.mount_path and PurePosixPath(place).is_relative_to(mount.mount_path):
                problem = (
                    f"{mount.mount_path} is read-only, and the directory of storage.shares.{name}, {place}, is in it"
                )
                yield Problem(f"{where}.{number}.mountPath", problem, accepted="a path beside it")


def groups_of_their_own(site: Site) -> Iterator[Problem]:
    """Refuse a numeric group that is a person's, the system's, or by chance another share's."""
    first, seen = site.storage.homes.first_uid, dict[int, str]()
    for name, share in site.storage.shares.items():
        where, number = f"storage.shares.{name}.gid", share.group(name)
        if number is None:
            continue
        if share.gid is not None and not _is_free(share.gid, first):
            yield Problem(
                where,
                f"{share.gid} may be a person's or the system's: people have numbers from storage.homes.first_uid on, "
                f"{first}",
                accepted=f"1000 to {min(first, SYSTEM_GIDS.start) - 1}, or {ORGANIZATION_GIDS.start} and more",
            )
        if number in seen and None in (share.gid, site.storage.shares[seen[number]].gid):
            yield Problem(
                where,
                f"{number} follows from the name, and is also the group of {seen[number]}",
                accepted="a number of its own",
                write=SYSTEM_GIDS.start - 1,
            )
        seen.setdefault(number, name)
    if len(seen) > MOST_GROUPS:
        yield Problem(
            "storage.shares",
            f"{len(seen)} groups own them, and NFS carries {MOST_GROUPS} groups of a person beside `users`",
            accepted=f"{MOST_GROUPS} groups: give shares of the same people the same gid",
        )


def _is_free(gid: int, first_uid: int) -> bool:
    """Return whether no person and no system can have this group, where people's ids are counted from `first_uid`."""
    if gid in SYSTEM_GIDS:
        return False
    if first_uid >= ACCOUNT_UIDS.start:  # the next number after those of accounts is an organization's
        return gid < first_uid and gid not in ACCOUNT_UIDS
    return gid < first_uid or gid >= ORGANIZATION_GIDS.start


CHECKS: Final[tuple[Check, ...]] = (
    names_of_their_own,
    places_of_their_own,
    volumes_beside_shares,
    shares_can_be_mounted,
    groups_of_their_own,
)
