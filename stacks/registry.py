"""Where the tags of the image menu are read: the same place that the nodes pull from."""

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Final
from urllib.parse import urlsplit

from stacks.settings import Site
from stacks.settings.image_menu import ImageMenuSettings

DOCKER_HUB: Final = "docker.io"
"""The only host whose name is not that of its registry; clients know it
(https://pkg.go.dev/github.com/distribution/reference)."""
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
    mirror = site.mirrors.registry
    if mirror and host in site.mirrors.registry_hosts:
        # As in containerd's configuration (components/machines/roles/kubernetes.py).
        url, path, hosts = str(mirror).rstrip("/"), f"{host}/{path}", menu.token_hosts
    elif mirror and host in (mirror.host, f"{mirror.host}:{mirror.port}"):
        url, hosts = f"{mirror.scheme}://{host}", menu.token_hosts
    elif host == DOCKER_HUB:
        url, hosts = f"https://{_DOCKER_REGISTRY}", (*menu.token_hosts, _DOCKER_TOKENS)
    else:
        url, hosts = f"https://{host}", menu.token_hosts
    return TagSource(url, path, hosts, menu.networks or _address_in(url))


def _address_in(url: str) -> tuple[IPv4Network, ...]:
    try:
        return (IPv4Network(IPv4Address(urlsplit(url).hostname or "")),)
    except AddressValueError:
        return ()
