"""Checks across settings of where packages and images come from."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from pydantic import HttpUrl

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.registry import images_of
from stacks.settings import Site

OWN_IMAGES: Final = ("registry.k8s.io", "quay.io")
"""Hosts of the images that no setting names: Kubernetes' own (kubeadm) and Calico's."""


KUBERNETES_REPOSITORY: Final = re.compile(
    r"(?:core:/\w+:|/[^/]*(?:kubernetes|k8s)[^/]*(?:/(?:deb|apt|stable))?)/v(?P<minor>[0-9]+\.[0-9]+)(?![0-9.])"
)
"""How pkgs.k8s.io and copies of it name the minor version of their packages."""


def repositories_of_the_same_minor(site: Site) -> Iterator[Problem]:
    """Refuse a repository of another minor version: pkgs.k8s.io has one for each, and so have copies of it."""
    version = site.cluster.kubernetes_version
    minor = version.rpartition(".")[0]
    for name, repository in site.mirrors.apt.items():
        found = KUBERNETES_REPOSITORY.search(unquote(str(repository.url)))
        if found and found["minor"] != minor:
            yield Problem(
                f"mirrors.apt.{name}.url",
                f"{repository.url} has packages of {found['minor']}, and cluster.kubernetes_version is {version}",
                accepted=f"the repository of v{minor}",
                write=str(repository.url).replace(f"v{found['minor']}", f"v{minor}"),
            )


def images_in_the_registry(site: Site) -> Iterator[Problem]:
    """Where a registry stands in for others, refuse an image of a host that it does not stand in for: no other
    registry is tried."""
    mirrors = site.mirrors
    if mirrors.registry is None:
        return
    for host in OWN_IMAGES:
        if host not in mirrors.registry_hosts:
            yield Problem("mirrors.registry_hosts", f"lacks {host}, of which henhouse runs images")
    itself = (mirrors.registry.host, f"{mirrors.registry.host}:{mirrors.registry.port}")
    for path, image in (*images_of(site.hub), ("edge.image", site.edge.image)):
        host = image.partition("/")[0]
        if host not in (*mirrors.registry_hosts, *itself):
            yield Problem(
                path,
                f"{image} is from {host}, which is not one of mirrors.registry_hosts: it would be pulled from there",
                accepted=f"an image of {', '.join(mirrors.registry_hosts)}, or {host} among mirrors.registry_hosts and "
                "its images in the registry",
            )


def mirrors_elsewhere(site: Site) -> Iterator[Problem]:
    """Refuse a mirror at the gateway's own ports 80 and 443: the edge listens there."""
    gateways = [host for host in site.hosts.values() if "gateway" in host.duties]
    named: dict[str, HttpUrl | None] = {f"mirrors.apt.{name}.url": each.url for name, each in site.mirrors.apt.items()}
    named |= {"mirrors.registry": site.mirrors.registry, "cluster.calico.manifest": site.cluster.calico.manifest}
    for path, url in named.items():
        if url and url.port in (80, 443) and url.host in {str(host.address) for host in gateways}:
            yield Problem(
                path,
                f"{url} is port {url.port} of the gateway, where the edge listens and serves no files",
                accepted="another machine, or another port",
            )


CHECKS: Final[tuple[Check, ...]] = (
    repositories_of_the_same_minor,
    images_in_the_registry,
    mirrors_elsewhere,
)
