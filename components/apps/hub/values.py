"""What the settings say to JupyterHub, as data."""

import json
from pathlib import Path
from typing import Any, Final

from components.kube.pods import PURPOSE_LABEL
from programs import hub as hub_program
from stacks.settings import Site

HUB_PORT: Final = 8081
PROXY_PORT: Final = 8000
PROXY_API_PORT: Final = 8001
SERVER_PORT: Final = 8888

CONFIG_DIRECTORY: Final = "/etc/jupyterhub"
SECRETS_DIRECTORY: Final = "/etc/jupyterhub-secrets"
DATABASE_DIRECTORY: Final = "/srv/jupyterhub"
"""In the hub's pod."""
WAIT_FOR_CLUSTER: Final = "wait_for_cluster.py"
MODULES: Final = ("henhouse_hub.py", "identity.py")
"""What fragments import."""
_FILES: Final = Path(hub_program.__file__).parent
USER_NAME_PATTERN: Final = r"^[a-z][a-z0-9._-]{0,62}$"
"""A person's name is also their home's, so it has no capitals, no slashes and no leading dot."""


def config_files() -> dict[str, str]:
    """What runs before JupyterHub, its configuration file, the modules and the fragments it loads, by file name."""
    fragments = sorted((_FILES / "config.d").glob("[0-9][0-9]-*.py"))
    own = (WAIT_FOR_CLUSTER, "jupyterhub_config.py", *MODULES)
    return {path.name: path.read_text() for path in (*(_FILES / name for name in own), *fragments)}


def hub_values(site: Site, *, hub: str, users: str, claim: str, maker_url: str) -> dict[str, Any]:
    """What the fragments read as `site`; nothing in it is secret. `hub` and `users` are namespaces."""
    return {
        "hub_url": f"http://hub.{hub}.svc.cluster.local:{HUB_PORT}",
        "proxy_api_url": f"http://proxy-api.{hub}.svc.cluster.local:{PROXY_API_PORT}",
        "database_url": f"sqlite:///{DATABASE_DIRECTORY}/jupyterhub.sqlite",
        "secrets_directory": SECRETS_DIRECTORY,
        "login": site.hub.login,
        "administrators": sorted(site.hub.administrators),
        "user_name_pattern": USER_NAME_PATTERN,
        "users_namespace": users,
        "purpose_label": PURPOSE_LABEL,
        "server": {
            "image": site.hub.server_image,
            "port": SERVER_PORT,
            "start_timeout": site.hub.start_timeout_seconds,
            "cpu_guarantee": site.hub.size.cpu_guarantee,
            "cpu_limit": site.hub.size.cpu_limit,
            "mem_guarantee": byte_specification(site.hub.size.mem_guarantee),
            "mem_limit": byte_specification(site.hub.size.mem_limit),
        },
        "homes": {
            "claim": claim,
            "maker_url": maker_url,
            "ca": f"{SECRETS_DIRECTORY}/homes-ca.crt",
            "certificate": f"{SECRETS_DIRECTORY}/homes-client.crt",
            "key": f"{SECRETS_DIRECTORY}/homes-client.key",
        },
        "cull_idle_seconds": site.hub.cull_idle_seconds,
    }


def site_json(site: Site, *, hub: str, users: str, claim: str, maker_url: str) -> str:
    """`hub_values` as the file that jupyterhub_config.py reads."""
    return json.dumps(hub_values(site, hub=hub, users=users, claim=claim, maker_url=maker_url), indent=2) + "\n"


def byte_specification(size: str) -> str:
    """Kubernetes' 512Mi in JupyterHub's spelling, 512M: both mean powers of 1024 (jupyterhub/traitlets.py)."""
    return size.removesuffix("i")


def database_host(site: Site) -> str:
    """The machine that keeps the session database: that of the settings, or the first by name that takes core pods.

    By name, because the engine hands the settings over with sorted keys: the order in the file is not known.
    """
    return site.hub.database_host or next(iter(site.workers_for("core")))
