"""What people may choose before their server starts: its files, its values, and the way to the registry."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pulumi_kubernetes.networking.v1 import IPBlockArgs, NetworkPolicyPeerArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs as Egress

from components.apps.hub.servers import own_networks
from components.kube.policies import INTERNET, outside, tcp
from programs import hub as hub_program
from stacks.registry import TagSource, tag_source
from stacks.settings import HubSettings, ImageMenuSettings, NamedSizeSettings, ProfileSettings, Site
from stacks.settings.chart import IN_BRACES

FILES: Final = (
    *("35-menu.py", "options-form.html", "offers.py"),
    *("image_menu.py", "menu_files.py", "oci_registry.py", "scan_images.py"),
)
"""In the hub's configuration where people choose anything, and only there."""
MENU_FILE: Final = "image-menu.json"
"""The last known menu, beside the hub's database."""
PASSWORD: Final = "registry-password"
"""Key in the hub's Secret."""
_DIRECTORY: Final = Path(hub_program.__file__).parent / "menu"


def menu_files(hub: HubSettings) -> dict[str, str]:
    """Return by name the files that ask people, none where they choose nothing."""
    return {name: (_DIRECTORY / name).read_text() for name in FILES} if hub.asks else {}


def menu_values(site: Site, directory: str) -> dict[str, Any]:
    """Return what the fragment reads as `site["menu"]`; nothing in it is secret. `directory` is the database's."""
    hub = site.hub
    if not hub.asks:
        return {}
    source = tag_source(site, hub.image_menu) if hub.image_menu else None
    images = _images(hub.image_menu, source, directory, hub.removed_digests) if hub.image_menu and source else None
    sizes = [_size(size) for size in hub.sizes]
    return {"menu": {"sizes": sizes, "profiles": [_profile(each) for each in hub.profile_list], "images": images}}


def _images(menu: ImageMenuSettings, source: TagSource, directory: str, removed: Sequence[str]) -> dict[str, Any]:
    return {
        "repository": menu.repository,
        "registry": source.url,
        "path": source.path,
        "token_hosts": list(source.token_hosts),
        "authority": menu.certificate_authority,
        "user": menu.user,
        "counts": menu.counts,
        "removed": [*removed],
        "recommended": menu.recommended,
        "refresh_seconds": menu.refresh_seconds,
        "file": f"{directory}/{MENU_FILE}",
    }


def _size(size: NamedSizeSettings) -> dict[str, Any]:
    override = {
        "cpu_guarantee": size.cpu_reserved,
        "cpu_limit": size.cpu_limit,
        "mem_guarantee": byte_specification(size.mem_reserved),
        "mem_limit": byte_specification(size.mem_limit),
    }
    cores = "1 core" if size.cpu_limit == 1 else f"{size.cpu_limit:g} cores"
    return {
        "name": size.name,
        "display_name": size.display_name or size.name.capitalize(),
        "description": size.description or f"Up to {cores} and {size.mem_limit}B of memory",
        "default": size.default,
        "allowed_groups": list(size.allowed_groups),
        "kubespawner_override": override,
    }


def _profile(profile: ProfileSettings) -> dict[str, Any]:
    override = profile.kubespawner_override.model_dump(mode="json", exclude_none=True)
    for name in ("mem_guarantee", "mem_limit"):
        if name in override:
            override[name] = byte_specification(override[name])
    if "environment" in override:
        override["environment"] = {name: _literal(value) for name, value in override["environment"].items()}
    return {
        "slug": profile.slug,
        "display_name": profile.display_name,
        "description": profile.description,
        "default": profile.default,
        "allowed_groups": list(profile.allowed_groups),
        "kubespawner_override": override,
    }


def _literal(value: str) -> str:
    """Return a value as KubeSpawner and Kubernetes leave it.

    KubeSpawner fills in what stands in braces, which JSON has, too. The words that it knows stay, as KubeSpawner and
    Zero to JupyterHub have them. To Kubernetes, $(NAME) is another variable's value, and $$ is $.
    """
    # Every second part is such a word.
    parts = enumerate(IN_BRACES.split(value.replace("$", "$$")))
    return "".join(part if at % 2 else part.replace("{", "{{").replace("}", "}}") for at, part in parts)


def way_to_the_registry(site: Site) -> list[Egress]:
    """Return the rule that lets the hub read the menu's tags, none without a menu.

    A policy knows addresses and no names: a registry without addresses in the settings may be anywhere on the Internet.
    """
    menu = site.hub.image_menu
    if menu is None:
        return []
    source = tag_source(site, menu)
    peers = [NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=str(each))) for each in source.networks]
    return [Egress(to=peers or outside([INTERNET], own_networks(site.network)), ports=tcp(*source.ports))]


def byte_specification(size: str) -> str:
    """Kubernetes' 512Mi in JupyterHub's spelling, 512M: both mean powers of 1024 (jupyterhub/traitlets.py)."""
    return size.removesuffix("i")
