"""What the settings say to JupyterHub, as data."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from components.apps.hub.added import added_values
from components.apps.hub.addresses import SERVER_PORT, hub_url, proxy_api_url
from components.apps.hub.culling import cull_values, culling_files
from components.apps.hub.images import DEFAULT_FILE, image_files, image_values
from components.apps.hub.menu import byte_specification, menu_files, menu_values
from components.apps.hub.pages import page_values
from components.apps.hub.pulling import server_pull_secrets
from components.contracts.storage import SharedVolume
from components.kube.pods import PURPOSE_LABEL
from programs import hub as hub_program
from programs.homes.names import LOGIN
from programs.hub.image_names import names_of
from stacks.settings import HubSettings, Site
from stacks.settings.fragments import LOGIN_FRAGMENT

CONFIG_DIRECTORY: Final = "/etc/jupyterhub"
SECRETS_DIRECTORY: Final = "/etc/jupyterhub-secrets"
DATABASE_DIRECTORY: Final = "/srv/jupyterhub"
"""In the hub's pod."""
WAIT_FOR_CLUSTER: Final = "wait_for_cluster.py"
WAIT_FOR_DATABASE: Final = "wait_for_database.py"
REHEARSAL: Final = "rehearsal.py"
TRY_DATABASE: Final = "try_database.py"
TERMINATION: Final = "termination.py"
FETCH_PAGES: Final = "fetch_pages.py"
GIT_COMMIT: Final = "git_commit.py"
MODULES: Final = (
    "administrators.py",
    "announcing.py",
    "bounds.py",
    "computing.py",
    "culler.py",
    "culling.py",
    "database.py",
    "default_image.py",
    "file_server.py",
    "henhouse_hub.py",
    "identity.py",
    "image_names.py",
    "keeping.py",
    "memory.py",
    "patient_proxy.py",
    "revisions.py",
    "sharing.py",
    "site_pages.py",
    "status.py",
    "steady_spawner.py",
    "stored_logins.py",
    "telling.py",
)
"""What every site's fragments import."""
_FILES: Final = Path(hub_program.__file__).parent


def config_files(hub: HubSettings) -> dict[str, str]:
    """Return by file name the files that JupyterHub needs.

    They are what runs before JupyterHub, its configuration file, and the modules and the fragments that it loads, the
    site's own among them. Of the ways to log in, only the site's is there.
    """
    fragments = sorted((_FILES / "config.d").glob("[0-9][0-9]-*.py"))
    tried = (TRY_DATABASE, REHEARSAL, TERMINATION)
    own = (WAIT_FOR_CLUSTER, WAIT_FOR_DATABASE, *tried, "jupyterhub_config.py", *MODULES, *hub.login.modules)
    own = (*own, FETCH_PAGES, GIT_COMMIT) if hub.pages_repository else own
    files = {path.name: path.read_text() for path in (*(_FILES / name for name in own), *fragments)}
    own_say = hub.fragments.texts() if hub.fragments else {}
    login = {LOGIN_FRAGMENT: (_FILES / "logins" / hub.login.fragment).read_text()}
    return {**files, **menu_files(hub), **image_files(hub), **culling_files(hub), **own_say, **login}


def hub_values(
    site: Site,
    provisioner_url: str,
    *,
    hub: str,
    users: str,
    claim: str,
    shares: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return what the fragments read as `site`; nothing in it is secret.

    `hub` and `users` are namespaces, `shares` what `share_values` returns of each directory that people share.
    """
    return {
        "hub_url": hub_url(hub),
        "proxy_api_url": proxy_api_url(hub),
        "database_url": site.hub.db.address(DATABASE_DIRECTORY, SECRETS_DIRECTORY),
        "database_upgrades": site.hub.db.upgrades,
        "directory": DATABASE_DIRECTORY,
        "secrets_directory": SECRETS_DIRECTORY,
        "administrators": sorted(site.hub.administrators),
        "login": site.hub.login.values(site.hub.callback_url),
        "user_name_pattern": f"^{LOGIN}$",
        "limits": {
            "starting": site.hub.concurrent_spawn_limit,
            "active": site.hub.active_server_limit or 0,
            "failures": site.hub.consecutive_failure_limit,
        },
        "users_namespace": users,
        "purpose_label": PURPOSE_LABEL,
        "server": {
            "image": site.hub.server_image,
            "pull_secrets": server_pull_secrets(site.hub),
            "default_image_file": f"{DATABASE_DIRECTORY}/{DEFAULT_FILE}",
            "removed": sorted({name for each in site.hub.images_to_remove for name in names_of(each)}),
            "port": SERVER_PORT,
            "start_timeout": site.hub.start_timeout_seconds,
            "cpu_guarantee": site.hub.size.cpu_guarantee,
            "cpu_limit": site.hub.size.cpu_limit,
            "mem_guarantee": byte_specification(site.hub.size.mem_guarantee),
            "mem_limit": byte_specification(site.hub.size.mem_limit),
        },
        "homes": {
            "claim": claim,
            "provisioner_url": provisioner_url,
            "ca": f"{SECRETS_DIRECTORY}/homes-ca.crt",
            "certificate": f"{SECRETS_DIRECTORY}/homes-client.crt",
            "key": f"{SECRETS_DIRECTORY}/homes-client.key",
            "patience_seconds": site.hub.start_timeout_seconds,
        },
        "shares": list(shares),
        "keys": {"names": list(site.hub.keys), "lost": site.hub.keys_lost},
        # By its first name: sites' own fragments may read it.
        "cull_idle_seconds": site.hub.cull_timeout,
        "cull": cull_values(site.hub),
        "pages": page_values(site.hub, DATABASE_DIRECTORY, SECRETS_DIRECTORY),
        "added": added_values(site.hub),
        **menu_values(site, DATABASE_DIRECTORY),
        **image_values(site.hub, DATABASE_DIRECTORY),
    }


def share_values(share: SharedVolume) -> dict[str, Any]:
    """Return what the fragments read of a directory that people share."""
    return {
        "name": share.name,
        "claim": share.claim,
        "path": share.mount_path,
        "read_only": share.read_only,
        "groups": list(share.groups),
        "write_groups": list(share.write_groups),
        "gid": share.gid,
    }


def site_json(site: Site, provisioner_url: str, **names: Any) -> str:
    """Return `hub_values` as the file that jupyterhub_config.py reads; the arguments are those of `hub_values`."""
    return json.dumps(hub_values(site, provisioner_url, **names), indent=2) + "\n"
