"""Checks across settings of volumes and files that a site adds: each has a place, and leaves henhouse's as they are."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site
from stacks.settings.chart import ExtraFileSettings, FileKey, VolumeMountSettings, VolumeSettings

HUB_VOLUMES: Final = ("config", "database", "fetched-pages", "keys", "pages", "tmp")
SERVER_VOLUMES: Final = ("files", "home", "identity", "person")
HUB_OBJECTS: Final = ("hub-database", "hub-announcements", "image-pull-secret")
"""Claims, ConfigMaps and Secrets of henhouse's in the hub's namespace, as far as their names can be known before."""
SERVER_OBJECTS: Final = ("homes", "server-files", "image-pull-secret")
"""The same in the users' namespace: whoever has a server could read everyone's, or the registry's password."""
SYSTEM: Final = ("/bin", "/dev", "/etc", "/lib", "/lib64", "/opt", "/proc", "/run", "/sbin", "/sys", "/usr", "/var")
"""Directories without which no program of an image runs."""
INSIDE_USR: Final = (
    *("/usr/bin", "/usr/lib", "/usr/share"),
    *("/usr/local", "/usr/local/bin", "/usr/local/etc", "/usr/local/lib", "/usr/local/share"),
)
"""Directories of every image: files of the site's may be in them, and not in their place."""
KERNEL: Final = ("/proc", "/sys")
UPSTREAM: Final = ("/usr/local/etc/jupyterhub/jupyterhub_config.d",)
"""What Zero to JupyterHub's hub reads (its jupyterhub_config.py), as its documentation of extraFiles tells."""
ACCOUNTS: Final = ("/var/run/secrets/kubernetes.io/serviceaccount", "/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet puts the token of a pod, by both names of the directory."""
HUB_PATHS: Final = (
    *("/etc/jupyterhub", "/etc/jupyterhub-fetched-pages", "/etc/jupyterhub-pages", "/etc/jupyterhub-secrets"),
    *("/srv/jupyterhub", *ACCOUNTS),
)
"""Where henhouse's own are in the hub's container: nothing over them, and nothing in them."""
HOME: Final = "/home/jovyan"
SERVER_PATHS: Final = ("/etc/passwd", "/etc/group", "/etc/henhouse", *ACCOUNTS)


def volumes_beside_ours(site: Site) -> Iterator[Problem]:
    """See to it that mounts have a volume and a place, and leave henhouse's volumes and files as they are."""
    hub = site.hub
    yield from _volumes("hub.extraVolumes", hub.extra_volumes, HUB_VOLUMES, HUB_OBJECTS)
    yield from _mounts("hub.extraVolumeMounts", hub.extra_volume_mounts, hub.extra_volumes, hub.extra_files, "hub")
    server, path = hub.singleuser, "hub.singleuser.storage"
    volumes, mounts = server.storage.extra_volumes, server.storage.extra_volume_mounts
    shares = [f"share-{name}" for name in site.storage.shares]
    yield from _volumes(f"{path}.extraVolumes", volumes, SERVER_VOLUMES, (*SERVER_OBJECTS, *shares))
    yield from _mounts(f"{path}.extraVolumeMounts", mounts, volumes, server.extra_files, "user server")


def _volumes(
    path: str, volumes: Sequence[VolumeSettings], ours: Sequence[str], objects: Sequence[str]
) -> Iterator[Problem]:
    for number, volume in enumerate(volumes):
        setting, shown = volume.shows or ("", "")
        if shown in objects:
            yield Problem(
                f"{path}.{number}.{setting}",
                f"{shown} is henhouse's own, and not for programs of the site's",
                accepted="one that you made; a directory that people share is a setting, storage.shares",
            )
        if volume.name in ours:
            yield Problem(f"{path}.{number}.name", f"{volume.name} is henhouse's own volume", accepted="another name")
        if volume.name in (each.name for each in volumes[:number]):
            yield Problem(f"{path}.{number}.name", f"{volume.name} is named twice", accepted="each name once")


def _mounts(
    path: str,
    mounts: Sequence[VolumeMountSettings],
    volumes: Sequence[VolumeSettings],
    files: Mapping[FileKey, ExtraFileSettings],
    whose: str,
) -> Iterator[Problem]:
    names = [volume.name for volume in volumes]
    files_path = f"{path.rpartition('.')[0].removesuffix('.storage')}.extraFiles"
    for number, mount in enumerate(mounts):
        if mount.name not in names:
            yield Problem(
                f"{path}.{number}.name",
                f"{mount.name} is none of the volumes",
                accepted=", ".join(names) or f"a volume of {path.removesuffix('Mounts')}s",
            )
    yield from _inside_a_file(path, files_path, mounts, files)
    yield from _inside_what_is_read(path, files_path, mounts, volumes, files)
    if whose == "hub":
        yield from _filled_in(path, files_path, mounts, files)
    wanted = list(_places(path, files_path, mounts, files).items())
    for number, (where, place) in enumerate(wanted):
        if why := why_refused(PurePosixPath(place), whose, directory=not where.startswith(f"{files_path}.")):
            yield Problem(where, f"{place} {why}", accepted="a directory of its own, such as /srv/shared")
        for other, taken in wanted[:number]:
            if taken == place:
                yield Problem(where, f"{place} is also {other}", accepted="one mount at each path")


def _places(
    path: str, files_path: str, mounts: Sequence[VolumeMountSettings], files: Mapping[FileKey, ExtraFileSettings]
) -> dict[str, str]:
    """Return by setting where something is mounted: volumes in their order, then files by name."""
    places = {f"{path}.{number}.mountPath": mount.mount_path for number, mount in enumerate(mounts)}
    return {**places, **{f"{files_path}.{key}.mountPath": file.mount_path for key, file in sorted(files.items())}}


def _inside_a_file(
    path: str, files_path: str, mounts: Sequence[VolumeMountSettings], files: Mapping[FileKey, ExtraFileSettings]
) -> Iterator[Problem]:
    """Refuse a place below a file: nothing can be there, and no pod starts."""
    for where, place in _places(path, files_path, mounts, files).items():
        for file in files.values():
            if file.mount_path != place and PurePosixPath(place).is_relative_to(file.mount_path):
                yield Problem(where, f"{place} is inside the file {file.mount_path}", accepted="a place beside it")


def nothing_can_be_in(mount: VolumeMountSettings, volumes: Sequence[VolumeSettings]) -> bool:
    """Return whether no other mount can be inside this one: the runtime would have to make a place for it there."""
    volume = next((each for each in volumes if each.name == mount.name), None)
    return volume is not None and (volume.is_fixed or (volume.empty_dir is not None and mount.read_only))


def _inside_what_is_read(
    path: str,
    files_path: str,
    mounts: Sequence[VolumeMountSettings],
    volumes: Sequence[VolumeSettings],
    files: Mapping[FileKey, ExtraFileSettings],
) -> Iterator[Problem]:
    """Refuse a place inside a volume in which none can be made: no container starts."""
    for number, mount in enumerate(mounts):
        if not nothing_can_be_in(mount, volumes):
            continue
        for where, place in _places(path, files_path, mounts, files).items():
            if place != mount.mount_path and PurePosixPath(place).is_relative_to(mount.mount_path):
                problem = f"{place} is inside what {path}.{number} mounts read-only at {mount.mount_path}"
                yield Problem(where, problem, accepted="a place beside it")


def _filled_in(
    path: str, files_path: str, mounts: Sequence[VolumeMountSettings], files: Mapping[FileKey, ExtraFileSettings]
) -> Iterator[Problem]:
    """Refuse words in braces in the hub's own pod: KubeSpawner fills them in for people's, and here they would stay."""
    texts = _places(path, files_path, mounts, files)
    texts |= {f"{path}.{number}.subPath": mount.sub_path or "" for number, mount in enumerate(mounts)}
    for where, text in texts.items():
        if "{" in text:
            problem = (
                f"{text!r} has braces, which are filled in for a person's server, and stay as they are in the hub's pod"
            )
            yield Problem(where, problem, accepted="a path without braces")


def why_refused(place: PurePosixPath, whose: str, *, directory: bool) -> str:
    """Return why nothing may be mounted there, or an empty text."""
    ours = HUB_PATHS if whose == "hub" else (*SERVER_PATHS, HOME)
    for own in map(PurePosixPath, ours):
        if own.is_relative_to(place):
            return f"would hide {own}, which the {whose} needs" if own != place else f"is henhouse's own in the {whose}"
        if place.is_relative_to(own):
            if str(own) == HOME:
                return "is inside the home, which only its owner may enter: the node could mount nothing there"
            return f"is in {own}, which is henhouse's own in the {whose}"
    if any(place.is_relative_to(kernel) for kernel in KERNEL):
        return "is the kernel's"
    if str(place) in (*SYSTEM, "/tmp") or (not directory and str(place) in INSIDE_USR):
        return "would hide what every program needs" if directory else "is a directory, and no file can take its place"
    if place.is_relative_to("/dev") and not place.is_relative_to("/dev/shm"):
        return "is the kernel's"
    if whose == "hub" and any(place.is_relative_to(theirs) for theirs in UPSTREAM):
        return "would be read in Zero to JupyterHub's hub, and is not in this one: configuration is in hub.fragments"
    return ""


CHECKS: Final[tuple[Check, ...]] = (volumes_beside_ours,)
