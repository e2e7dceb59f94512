"""Checks of what people may choose before their server starts."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from programs.hub.image_names import canonical, names_of, repository_of
from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.registry import tag_source
from stacks.settings import Site
from stacks.settings.amounts import bytes_of
from stacks.settings.hosts import PURPOSE_LABEL
from stacks.settings.menu import NamedSizeSettings, ProfileSettings

HOSTNAME_LABEL: Final = "kubernetes.io/hostname"
"""The kubelet's own, with the machine's name."""


def sizes_in_order(site: Site) -> Iterator[Problem]:
    """Refuse a guarantee that is more than the limit, of a size or of a profile."""
    for index, size in enumerate(site.hub.sizes):
        yield from _in_order(
            f"hub.sizes.{index}", size.cpu_guarantee, size.cpu_limit, size.mem_guarantee, size.mem_limit
        )
    base = site.hub.size
    for index, profile in enumerate(site.hub.profile_list):
        override = profile.kubespawner_override
        cpu, memory = override.cpu_guarantee, override.mem_guarantee
        yield from _in_order(
            f"hub.profile_list.{index}.kubespawner_override",
            base.cpu_guarantee if cpu is None else cpu,
            override.cpu_limit or base.cpu_limit,
            memory or base.mem_guarantee,
            override.mem_limit or base.mem_limit,
        )


def _in_order(path: str, cpu: float | None, cpu_limit: float, memory: str | None, limit: str) -> Iterator[Problem]:
    if cpu is not None and cpu > cpu_limit:
        yield Problem(f"{path}.cpu_guarantee", f"{cpu} is more than cpu_limit, {cpu_limit}")
    if memory is not None and bytes_of(memory) > bytes_of(limit):
        yield Problem(f"{path}.mem_guarantee", f"{memory} is more than mem_limit, {limit}")


def offers_apart(site: Site) -> Iterator[Problem]:
    """See to it that each size and each profile has a name of its own, and that one of each is for everyone."""
    sizes, profiles = site.hub.sizes, site.hub.profile_list
    yield from _apart("hub.sizes", "name", [size.name for size in sizes])
    yield from _apart("hub.profile_list", "slug", [profile.slug for profile in profiles])
    yield from _open_to_someone("hub.sizes", sizes)
    yield from _open_to_someone("hub.profile_list", profiles)


def _apart(path: str, key: str, names: Sequence[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(f"{path}.{index}.{key}", f"{name} is also {path}.{names.index(name)}'s")


def _open_to_someone(path: str, offers: Iterable[NamedSizeSettings | ProfileSettings]) -> Iterator[Problem]:
    each = list(offers)
    if each and all(offer.allowed_groups for offer in each):
        yield Problem(path, "each is for some groups: everyone else could start no server", accepted="one for everyone")
    for groups in {offer.allowed_groups for offer in each if offer.default}:
        same = [index for index, offer in enumerate(each) if offer.default and offer.allowed_groups == groups]
        if len(same) > 1:
            yield Problem(
                f"{path}.{same[1]}.default", f"{path}.{same[0]} is the default already", accepted="one default"
            )


def menu_has_something(site: Site) -> Iterator[Problem]:
    """Refuse a menu that no tag can be in."""
    menu = site.hub.image_menu
    if menu and not (any(menu.counts.values()) or menu.recommended):
        yield Problem("hub.image_menu", "every count is 0, and no tag is recommended: the menu would be empty")


def images_to_remove_are_not_wanted(site: Site) -> Iterator[Problem]:
    """Refuse to have an image removed that the site uses: nodes would pull it again."""
    hub = site.hub
    wanted = {"hub.server_image": hub.server_image, "hub.image": hub.image, "hub.proxy_image": hub.proxy_image}
    wanted["edge.image"] = site.edge.image
    for index, profile in enumerate(hub.profile_list):
        if image := profile.kubespawner_override.image:
            wanted[f"hub.profile_list.{index}.kubespawner_override.image"] = image
    for name, extra in hub.pre_puller.extra_images.items():
        wanted[f"hub.prePuller.extraImages.{name}"] = extra.image
    for index, image in enumerate(hub.images_to_remove):
        path = f"hub.images_to_remove.{index}"
        if canonical(image) in map(canonical, hub.images_to_remove[:index]):
            yield Problem(path, f"{image} is there twice", accepted="each image once")
        if hub.image_menu and repository_of(image) == hub.image_menu.repository and "@" not in image:
            yield Problem(
                path,
                f"{image} has no digest, and machines know images of hub.image_menu by their digests alone",
                accepted=f"{image}@sha256:…, as the hub's page Status and the registry have it",
            )
        for setting, used in wanted.items():
            if not names_of(used).isdisjoint(names_of(image)):
                yield Problem(
                    path, f"{used} is what {setting} names", accepted=f"another image, or another one as {setting}"
                )


def machines_are_selected(site: Site) -> Iterator[Problem]:
    """Refuse a kind of server that no machine for people takes, by the labels that henhouse and Kubernetes give."""
    takers = site.workers_for("user")
    purposes = {str(each.purpose) for each in takers.values()}
    there = {HOSTNAME_LABEL: sorted(takers), PURPOSE_LABEL: sorted(purposes)}
    for index, profile in enumerate(site.hub.profile_list):
        for label, value in (profile.kubespawner_override.node_selector or {}).items():
            if label in there and value not in there[label]:
                yield Problem(
                    f"hub.profile_list.{index}.kubespawner_override.node_selector.{label}",
                    f"{value}: no machine for user servers has that",
                    accepted=", ".join(there[label]) or "none yet",
                )


def registry_account_is_whole(site: Site) -> Iterator[Problem]:
    """Refuse half an account, and one that would go over the network in plain."""
    menu = site.hub.image_menu
    if menu is None:
        return
    if (menu.user is None) != (menu.password is None):
        given, missing = ("user", "password") if menu.user else ("password", "user")
        yield Problem(f"hub.image_menu.{missing}", f"is required where hub.image_menu.{given} is given")
    source = tag_source(site, menu)
    if menu.password and not source.url.startswith("https:"):
        yield Problem(
            "hub.image_menu.password",
            f"would go in plain to {source.url}, which stands in for {menu.repository.partition('/')[0]}",
            accepted="a registry with https, or one that asks for no password",
        )


CHECKS: Final[tuple[Check, ...]] = (
    sizes_in_order,
    offers_apart,
    menu_has_something,
    images_to_remove_are_not_wanted,
    machines_are_selected,
    registry_account_is_whole,
)
