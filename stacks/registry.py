"""Which images the hub and user servers have, and from where: the image menu's tags are read where nodes pull."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Final
from urllib.parse import urlsplit

from stacks.settings import HubSettings, Site
from stacks.settings.image_menu import ImageMenuSettings
from stacks.settings.registries import DOCKER_HUB

_DOCKER_REGISTRY: Final = "registry-1.docker.io"
_DOCKER_TOKENS: Final = "auth.docker.io"


@dataclass(frozen=True)
class TagSource:
    """A repository in a registry."""

    url: str
    """Of the registry, such as https://quay.io."""
    path: str
    """Of the repository in it."""
    token_hosts: tuple[str, ...]
    """Hosts besides the registry's own that may issue tokens."""
    networks: tuple[IPv4Network, ...]
    """What the hub has to reach; none means the Internet."""

    @property
    def ports(self) -> tuple[int, ...]:
        """The TCP ports there: the registry's, and that of hosts that give tokens."""
        parts = urlsplit(self.url)
        own = parts.port or (443 if parts.scheme == "https" else 80)
        return tuple(sorted({own, *([443] if self.token_hosts else [])}))


def tag_source(site: Site, menu: ImageMenuSettings) -> TagSource:
    """Return where the tags of the menu's repository are."""
    host, _, path = menu.repository.partition("/")
    url, hosts = registry_url(site, host), menu.token_hosts
    if site.mirrors.registry and host in site.mirrors.registry_hosts:
        path = f"{host}/{path}"
    elif host == DOCKER_HUB:
        hosts = (*hosts, _DOCKER_TOKENS)
    return TagSource(url, path, hosts, menu.networks or _address_in(url))


def registry_url(site: Site, host: str) -> str:
    """Return the registry that is asked for images of this host."""
    mirror = site.mirrors.registry
    if mirror and host in site.mirrors.registry_hosts:
        # As in containerd's configuration (components/machines/roles/kubernetes.py).
        return str(mirror).rstrip("/")
    if mirror and host in (mirror.host, f"{mirror.host}:{mirror.port}"):
        return f"{mirror.scheme}://{host}"
    return f"https://{_DOCKER_REGISTRY if host == DOCKER_HUB else host}"


def images_of(hub: HubSettings) -> Iterator[tuple[str, str]]:
    """Return each image of the hub's pods and of user servers with its setting; of the menu, the repository."""
    yield "hub.image", hub.image
    yield "hub.proxy_image", hub.proxy_image
    yield "hub.server_image", hub.server_image
    for index, profile in enumerate(hub.profile_list):
        if profile.kubespawner_override.image:
            yield f"hub.profile_list.{index}.kubespawner_override.image", profile.kubespawner_override.image
    if hub.image_menu:
        yield "hub.image_menu.repository", hub.image_menu.repository
    for name, extra in hub.pre_puller.extra_images.items():
        yield f"hub.prePuller.extraImages.{name}.name", extra.image


def _address_in(url: str) -> tuple[IPv4Network, ...]:
    try:
        return (IPv4Network(IPv4Address(urlsplit(url).hostname or "")),)
    except AddressValueError:
        return ()
