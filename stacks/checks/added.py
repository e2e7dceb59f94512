"""Checks across settings of what a site adds to its hub: it leaves what henhouse needs there as it is."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site
from stacks.settings.chart import (
    ExtraFileSettings,
    FileKey,
    ServiceSettings,
    VolumeMountSettings,
    VolumeSettings,
)
from stacks.settings.files import KIBIBYTE, too_large

HUB_NAMES: Final = ("HOME", "PATH", "PWD", "LD_PRELOAD", "LD_LIBRARY_PATH")
"""Variables without which the hub's image does not run as it was built."""
HUB_PREFIXES: Final = ("JUPYTERHUB_", "CONFIGPROXY_", "KUBERNETES_", "PYTHON")
"""Variables of JupyterHub's, its proxy's, the way to the API server, and of the interpreter."""
SERVER_NAMES: Final = (
    *("HOME", "USER", "LOGNAME", "PATH", "JPY_API_TOKEN", "JUPYTER_IMAGE", "JUPYTER_IMAGE_SPEC"),
    *("CPU_GUARANTEE", "CPU_LIMIT", "MEM_GUARANTEE", "MEM_LIMIT", "LD_PRELOAD"),
)
"""Variables that say who a person is, which server this is, and what it may use."""
SERVER_PREFIXES: Final = ("JUPYTERHUB_", "KUBERNETES_")
FREE: Final = ("JUPYTERHUB_SINGLEUSER_APP", "JUPYTERHUB_SINGLEUSER_EXTENSION")
"""What JupyterHub leaves to the site: how its program in the user server starts."""

HUB_VOLUMES: Final = ("config", "database", "fetched-pages", "keys", "pages", "tmp")
SERVER_VOLUMES: Final = ("files", "home", "identity", "person")
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

LARGEST_VALUES: Final = 256 * KIBIBYTE
"""A quarter of a ConfigMap; half of it is for fragments, and the rest for henhouse's own."""
LARGEST_SECRET: Final = 768 * KIBIBYTE
"""Three quarters of what a Secret may hold; the rest is for henhouse's own values and for names."""

OWN_SERVICES: Final = ("idle-culler", "image-menu", "image-puller", "prometheus")
SCOPES: Final = frozenset(
    (
        *("access:servers", "access:services", "admin-ui", "admin:auth_state", "admin:groups", "admin:server_state"),
        *("admin:servers", "admin:services", "admin:users", "delete:groups", "delete:servers", "delete:users"),
        *("groups", "groups:shares", "inherit", "list:groups", "list:services", "list:users", "proxy", "read:groups"),
        *("read:groups:name", "read:groups:shares", "read:hub", "read:metrics", "read:roles", "read:roles:groups"),
        *("read:roles:services", "read:roles:users", "read:servers", "read:services", "read:services:name"),
        *("read:shares", "read:tokens", "read:users", "read:users:activity", "read:users:groups", "read:users:name"),
        *("read:users:shares", "self", "servers", "shares", "shutdown", "tokens", "users", "users:activity"),
        "users:shares",
    )
)
"""What JupyterHub knows (jupyterhub/scopes.py); it does not start with another."""
CUSTOM: Final = re.compile(r"custom:[a-z0-9][a-z0-9_:!=/-]*")
"""A scope of the site's own, which a fragment tells JupyterHub of (`custom_scopes`)."""
FILTERS: Final = ("user", "service", "server", "group")
"""What may stand behind a scope's exclamation mark, all but the last also without `=NAME`."""
_ENVIRONMENTS: Final = "Rename it, or set what you need in a fragment (hub.fragments)"


def environment_is_free(site: Site) -> Iterator[Problem]:
    """Refuse variables that would replace those of henhouse, JupyterHub or the image."""
    hub = site.hub
    yield from _taken("hub.extraEnv", hub.extra_env, HUB_NAMES, HUB_PREFIXES, "the hub's")
    servers = hub.singleuser.extra_env
    yield from _taken("hub.singleuser.extraEnv", servers, SERVER_NAMES, SERVER_PREFIXES, "the user server's")
    for number, profile in enumerate(hub.profile_list):
        path = f"hub.profile_list.{number}.kubespawner_override.environment"
        names = profile.kubespawner_override.environment or {}
        yield from _taken(path, names, SERVER_NAMES, SERVER_PREFIXES, "the user server's")


def _taken(
    path: str, names: Iterable[str], taken: Sequence[str], prefixes: tuple[str, ...], whose: str
) -> Iterator[Problem]:
    for name in names:
        if name in taken or (name.startswith(prefixes) and name not in FREE):
            kept = ", ".join([*sorted(taken), *(f"{prefix}…" for prefix in prefixes)])
            yield Problem(
                f"{path}.{name}", f"is {whose} own variable", accepted=f"any name but {kept}. {_ENVIRONMENTS}"
            )


def volumes_beside_ours(site: Site) -> Iterator[Problem]:
    """See to it that mounts have a volume and a place, and leave henhouse's volumes and files as they are."""
    hub = site.hub
    yield from _volumes("hub.extraVolumes", hub.extra_volumes, HUB_VOLUMES)
    yield from _mounts("hub.extraVolumeMounts", hub.extra_volume_mounts, hub.extra_volumes, hub.extra_files, "hub")
    server, path = hub.singleuser, "hub.singleuser.storage"
    volumes, mounts = server.storage.extra_volumes, server.storage.extra_volume_mounts
    yield from _volumes(f"{path}.extraVolumes", volumes, SERVER_VOLUMES)
    yield from _mounts(f"{path}.extraVolumeMounts", mounts, volumes, server.extra_files, "user server")


def _volumes(path: str, volumes: Sequence[VolumeSettings], ours: Sequence[str]) -> Iterator[Problem]:
    for number, volume in enumerate(volumes):
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
    wanted = [(f"{path}.{number}.mountPath", mount.mount_path, True) for number, mount in enumerate(mounts)]
    wanted += [(f"{files_path}.{key}.mountPath", file.mount_path, False) for key, file in sorted(files.items())]
    for number, (where, place, directory) in enumerate(wanted):
        if why := why_refused(PurePosixPath(place), whose, directory=directory):
            yield Problem(where, f"{place} {why}", accepted="a directory of its own, such as /srv/shared")
        for other, taken, _ in wanted[:number]:
            if taken == place:
                yield Problem(where, f"{place} is also {other}", accepted="one mount at each path")


def _inside_a_file(
    path: str, files_path: str, mounts: Sequence[VolumeMountSettings], files: Mapping[FileKey, ExtraFileSettings]
) -> Iterator[Problem]:
    """Refuse a place below a file: nothing can be there, and no pod starts."""
    places = {f"{path}.{number}.mountPath": mount.mount_path for number, mount in enumerate(mounts)}
    places |= {f"{files_path}.{key}.mountPath": file.mount_path for key, file in sorted(files.items())}
    for where, place in places.items():
        for file in files.values():
            if file.mount_path != place and PurePosixPath(place).is_relative_to(file.mount_path):
                yield Problem(where, f"{place} is inside the file {file.mount_path}", accepted="a place beside it")


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


def secrets_fit(site: Site) -> Iterator[Problem]:
    """See to it that environment and files fit into the Secret that keeps them."""
    hub = site.hub
    for path, variables, files in (
        ("hub", hub.extra_env, hub.extra_files),
        ("hub.singleuser", hub.singleuser.extra_env, hub.singleuser.extra_files),
    ):
        sizes = {f"extraFiles.{key}": len(file.content) for key, file in files.items()}
        sizes |= {f"extraEnv.{name}": len(value.get_secret_value().encode()) for name, value in variables.items()}
        for complaint in too_large(sizes, LARGEST_SECRET, "a Secret holds of extraEnv and extraFiles"):
            advice = "smaller files; large ones are for an image, or for a volume (extraVolumes)"
            yield Problem(f"{path}.extraFiles", complaint, accepted=advice)


def values_fit(site: Site) -> Iterator[Problem]:
    """See to it that what templates and roles are given fits into the hub's ConfigMap beside the fragments."""
    roles = [role.manifest(name) for name, role in site.hub.load_roles.items()]
    sizes = {"templateVars": len(json.dumps(site.hub.template_vars)), "loadRoles": len(json.dumps(roles))}
    for complaint in too_large(sizes, LARGEST_VALUES, "templateVars and loadRoles have together"):
        yield Problem(f"hub.{max(sizes, key=lambda name: sizes[name])}", complaint, accepted="files, by hub.pages")


def roles_of_known_services(site: Site) -> Iterator[Problem]:
    """Refuse services and roles with which JupyterHub would not start."""
    hub = site.hub
    for name in hub.services:
        if name in OWN_SERVICES:
            yield Problem(f"hub.services.{name}", "is henhouse's own service", accepted="another name")
    yield from _told_apart(hub.services)
    services = (*OWN_SERVICES, *sorted(hub.services))
    for name, role in hub.load_roles.items():
        path = f"hub.loadRoles.{name}"
        if name == "admin":
            yield Problem(path, "cannot be changed: JupyterHub does not start", accepted="names in hub.administrators")
        elif name == "token":
            yield Problem(
                path,
                "cannot be changed: each service's token has it, and JupyterHub does not start where it allows more "
                "than the service may do",
                accepted="a role for those who need one, or the role user or server",
            )
        elif name in OWN_SERVICES:
            yield Problem(path, "is henhouse's own role", accepted="another name")
        elif role.scopes is None and name not in ("server", "user"):
            yield Problem(f"{path}.scopes", "is required of a new role and not given", write=["list:users"])
        for number, scope in enumerate(role.scopes or ()):
            if not is_scope(scope) and not (hub.fragments and CUSTOM.fullmatch(scope)):
                yield Problem(
                    f"{path}.scopes.{number}",
                    f"{scope} is not a scope of JupyterHub",
                    accepted=f"{', '.join(sorted(SCOPES))}; each may end in !user, !server, !service, or, with a name, "
                    "!user=, !server=, !service=, !group=",
                )
        for number, service in enumerate(role.services or ()):
            if service not in services:
                yield Problem(
                    f"{path}.services.{number}", f"{service} is none of the services", accepted=", ".join(services)
                )


def _told_apart(services: Mapping[str, ServiceSettings]) -> Iterator[Problem]:
    """Refuse what two services share: with one token each is the other, and with one client id no hub starts."""
    tokens: dict[str, str] = {}
    clients: dict[str, str] = {}
    for name, service in sorted(services.items()):
        path = f"hub.services.{name}"
        token = service.api_token.get_secret_value() if service.api_token else None
        if token and tokens.setdefault(token, name) != name:
            accepted = "a token of its own, such as `openssl rand -hex 32` prints"
            yield Problem(f"{path}.apiToken", f"is also that of {tokens[token]}", accepted=accepted)
        client = service.oauth_client_id or f"service-{name}"
        if clients.setdefault(client, name) != name:
            yield Problem(
                f"{path}.oauth_client_id", f"{client} is also that of {clients[client]}", accepted="an id of its own"
            )


def is_scope(scope: str) -> bool:
    """Return whether JupyterHub knows a scope with its filter."""
    name, mark, which = scope.partition("!")
    kind, equals, value = which.partition("=")
    if name not in SCOPES or (mark and kind not in FILTERS):
        return False
    return not mark or (bool(value) if equals else kind != "group")


CHECKS: Final[tuple[Check, ...]] = (
    environment_is_free,
    volumes_beside_ours,
    secrets_fit,
    values_fit,
    roles_of_known_services,
)
