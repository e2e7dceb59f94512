"""Checks across settings of the accounts with which nodes pull images."""

from collections.abc import Iterator
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.registry import images_of, registry_url
from stacks.settings import Site
from stacks.settings.registries import host_of


def accounts_are_used(site: Site) -> Iterator[Problem]:
    """Refuse an account that no pull would be made with: its host is misspelt, or it is a mirror's own.

    Fragments may name images that the settings do not know.
    """
    hosts = sorted({host_of(image) for _, image in images_of(site.hub)})
    fragments = site.hub.fragments.texts().values() if site.hub.fragments else ()
    for host in site.hub.image_pull_secrets:
        if host in hosts or any(host in text for text in fragments):
            continue
        mirror = site.mirrors.registry
        itself = mirror and host in (mirror.host, f"{mirror.host}:{mirror.port}")
        upstream = ": nodes look an account up by the host in an image's name, whatever stands in for it"
        yield Problem(
            _path(host),
            f"no image of the hub's pods or of user servers is from {host}{upstream if itself else ''}",
            accepted=f"{', '.join(hosts)}, or {host} as the host of an image",
        )


def accounts_agree(site: Site) -> Iterator[Problem]:
    """Refuse a second account for the registry of the image menu: nodes would try one and then the other."""
    menu = site.hub.image_menu
    if menu is None or menu.account is None:
        return
    host = host_of(menu.repository)
    given = site.hub.image_pull_secrets.get(host)
    if given and given != menu.account:
        yield Problem(
            _path(host),
            f"is another account than hub.image_menu.user's, and the menu's images are from {host}, too",
            accepted="the account in one of the two, one that may pull all images of this host",
        )


def accounts_go_encrypted(site: Site) -> Iterator[Problem]:
    """Refuse a password that would go over the network in plain."""
    for host in site.hub.image_pull_secrets:
        url = registry_url(site, host)
        if not url.startswith("https:"):
            yield Problem(
                f"{_path(host)}.password",
                f"would go in plain to {url}, which stands in for {host}",
                accepted="a registry with https, or one that asks for no password",
            )


def _path(host: str) -> str:
    return f"hub.imagePullSecrets.{host}"


CHECKS: Final[tuple[Check, ...]] = (
    accounts_are_used,
    accounts_agree,
    accounts_go_encrypted,
)
