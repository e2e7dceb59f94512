"""Groups that settings name, where the login brings organizations of GitHub."""

from typing import Any

import pytest

from stacks.load import parse_settings
from stacks.problems import SettingsError
from tests.stacks.logins import GITHUB as MEMBERS
from tests.stacks.logins import OIDC
from tests.stacks.sites import changed, tree

GITHUB = {**MEMBERS, "organization_groups": True}
SIZE = {"cpu_limit": 1, "mem_limit": "1Gi"}


def named(group: str) -> list[tuple[dict[str, Any], str]]:
    """Return each setting that names a group, and its path."""
    profile = {"display_name": "A", "slug": "a", "allowed_groups": [group]}
    return [
        (
            {"sizes": [{"name": "a", **SIZE}, {"name": "b", **SIZE, "allowed_groups": [group]}]},
            "hub.sizes.1.allowed_groups.0",
        ),
        ({"profile_list": [profile, {"display_name": "B", "slug": "b"}]}, "hub.profile_list.0.allowed_groups.0"),
        ({"cull": {"groups": [{"groups": ["x", group], "timeout": 7200}]}}, "hub.cull.groups.0.groups.1"),
        ({"loadRoles": {"abc": {"scopes": ["list:users"], "groups": [group]}}}, "hub.loadRoles.abc.groups.0"),
    ]


@pytest.mark.parametrize(("hub", "path"), named("barn:staff"), ids=[path for _, path in named("")])
def test_team_of_github_is_refused_as_a_group(hub: dict[str, Any], path: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), {"hub": {**hub, "login": GITHUB}}))
    assert f"{path}: barn:staff is a team, and only organizations are groups in the hub" in str(refused.value)
    parse_settings(changed(tree("dev"), {"hub": {**hub, "login": OIDC}}))


@pytest.mark.parametrize(("hub", "path"), named("FLOCK"), ids=[path for _, path in named("")])
def test_organization_has_one_spelling(hub: dict[str, Any], path: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), {"hub": {**hub, "login": GITHUB}}))
    assert f"{path}: FLOCK is flock in hub.login.allowed_organizations" in str(refused.value)


@pytest.mark.parametrize("group", ["flock", "barn", "physics", "course:101"])
def test_organization_and_group_of_an_administrator_are_accepted(group: str) -> None:
    for hub, _ in named(group):
        parse_settings(changed(tree("dev"), {"hub": {**hub, "login": GITHUB}}))


def test_spelling_is_an_administrators_where_organizations_are_not_groups() -> None:
    for hub, _ in named("FLOCK"):
        parse_settings(changed(tree("dev"), {"hub": {**hub, "login": MEMBERS}}))


def test_organizations_have_to_be_seen_to_be_groups() -> None:
    with pytest.raises(SettingsError, match="organization_groups need read:org in scope"):
        parse_settings(changed(tree("dev"), {"hub": {"login": {**GITHUB, "scope": ["read:user"]}}}))
