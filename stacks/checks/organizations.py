"""Checks of the groups that settings name, where the login brings organizations and teams of GitHub."""

from collections.abc import Iterator
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site
from stacks.settings.logins.github import GitHubLoginSettings


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
    """Refuse a team that is not a group: no one would be in it. Refuse another spelling of a group that there is."""
    login = site.hub.login
    if not isinstance(login, GitHubLoginSettings):
        return
    organizations = {each.partition(":")[0].lower() for each in login.allowed_organizations}
    spelled = {each.lower(): each for each in login.allowed_organizations if login.organization_groups}
    for path, group in groups_named(site):
        organization, _, team = group.partition(":")
        right = spelled.get(group.lower())
        # Shares know organizations without `organization_groups`, and take any spelling of them.
        of_hub = path.startswith("hub.")
        if team and right is None and (organization.lower() in organizations or not of_hub):
            yield _no_group(path, group, login)
        elif right is not None and group not in login.allowed_organizations and (of_hub or team):
            yield Problem(path, f"{group} is {right} in hub.login.allowed_organizations, and so here", accepted=right)


def _no_group(path: str, team: str, login: GitHubLoginSettings) -> Problem:
    """Return why a team is not a group of the hub, and what would make it one."""
    needed = []
    if not login.organization_groups:
        needed.append("hub.login.organization_groups: true")
    if team.lower() not in {each.lower() for each in login.allowed_organizations}:
        needed.append(f"{team} in hub.login.allowed_organizations, which lets its members log in")
    return Problem(
        path,
        f"{team} is a team, and teams are groups of the hub only from hub.login.allowed_organizations, with "
        "organization_groups",
        accepted=" and ".join(needed),
    )


CHECKS: Final[tuple[Check, ...]] = (groups_that_there_are,)
