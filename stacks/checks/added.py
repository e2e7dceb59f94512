"""Checks across settings of what a site adds to its hub: it leaves what henhouse needs there as it is."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site
from stacks.settings.chart import ServiceSettings
from stacks.settings.files import KIBIBYTE, too_large
from stacks.settings.menu import FREE, TELLING_SECONDS, tells_in_time

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
    for name, value in servers.items():
        if not tells_in_time(name, value.get_secret_value()):
            yield Problem(
                f"hub.singleuser.extraEnv.{name}",
                "what is given is not a time after which servers can tell the hub of their use",
                accepted=f"seconds, a whole number from 1 to {TELLING_SECONDS}",
            )
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
    secrets_fit,
    values_fit,
    roles_of_known_services,
)
