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
    """Refuse teams of the login's organizations, which are not groups, and another spelling of an organization."""
    login = site.hub.login
    if login.type != "github":
        return
    organizations = {each.partition(":")[0].lower() for each in login.allowed_organizations}
    spelled = {each.lower(): each for each in login.allowed_organizations if login.organization_groups}
    for path, group in groups_named(site):
        organization, _, team = group.partition(":")
        # Shares know organizations without `organization_groups`, and take any spelling.
        if team and (organization.lower() in organizations or path.startswith("storage.")):
            yield Problem(
                path,
                f"{group} is a team, and only organizations are groups in the hub",
                accepted=f"{organization}, if it is one of hub.login.allowed_organizations",
            )
        elif path.startswith("hub.") and group not in login.allowed_organizations and group.lower() in spelled:
            right = spelled[group.lower()]
            yield Problem(path, f"{group} is {right} in hub.login.allowed_organizations, and so here", accepted=right)


CHECKS: Final[tuple[Check, ...]] = (groups_that_there_are,)
