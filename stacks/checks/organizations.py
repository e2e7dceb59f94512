"""Checks of the groups that settings name, where the login brings organizations of GitHub."""

from collections.abc import Iterator
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site


def groups_named(site: Site) -> Iterator[tuple[str, str]]:
    """Return each group that a setting names, behind the setting's path."""
    hub = site.hub
    for name, share in site.storage.shares.items():
        yield from _each(f"storage.shares.{name}.groups", share.groups)
        yield from _each(f"storage.shares.{name}.write_groups", share.write_groups)
    for index, size in enumerate(hub.sizes):
        yield from _each(f"hub.sizes.{index}.allowed_groups", size.allowed_groups)
    for index, profile in enumerate(hub.profile_list):
        yield from _each(f"hub.profile_list.{index}.allowed_groups", profile.allowed_groups)
    for index, cull in enumerate(hub.cull.groups):
        yield from _each(f"hub.cull.groups.{index}.groups", cull.groups)
    for name, role in hub.load_roles.items():
        yield from _each(f"hub.loadRoles.{name}.groups", role.groups or ())


def _each(path: str, groups: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return ((f"{path}.{number}", group) for number, group in enumerate(groups))


def groups_that_there_are(site: Site) -> Iterator[Problem]:
    """Refuse teams of GitHub, which are not groups in the hub, and organizations that are spelled in another way."""
    login = site.hub.login
    if login.type != "github":
        return
    spelled = {each.partition(":")[0].lower(): each.partition(":")[0] for each in login.allowed_organizations}
    for path, group in groups_named(site):
        organization, _, team = group.partition(":")
        if team:
            yield Problem(
                path,
                f"{group} is a team, and only organizations are groups in the hub",
                accepted=f"{organization}, if it is one of hub.login.allowed_organizations",
            )
        elif path.startswith("hub.") and spelled.get(group.lower(), group) != group:  # shares take any spelling
            yield Problem(
                path,
                f"{group} is {spelled[group.lower()]} in hub.login.allowed_organizations, and so in the hub",
                accepted=spelled[group.lower()],
            )


CHECKS: Final[tuple[Check, ...]] = (groups_that_there_are,)
