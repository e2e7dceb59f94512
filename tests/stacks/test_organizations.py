"""Groups that settings name, where the login brings organizations and teams of GitHub."""

from collections.abc import Mapping
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


def refused(hub: dict[str, Any], login: Mapping[str, Any], **more: Any) -> str:
    """Return why these settings are refused."""
    with pytest.raises(SettingsError) as refusal:
        parse_settings(changed(tree("dev"), {"hub": {**hub, "login": login}, **more}))
    return str(refusal.value)


@pytest.mark.parametrize(("hub", "path"), named("barn:owls"), ids=[path for _, path in named("")])
def test_team_that_is_not_allowed_is_refused_as_a_group(hub: dict[str, Any], path: str) -> None:
    said = refused(hub, GITHUB)
    assert f"{path}: barn:owls is a team, and teams are groups of the hub only from hub.login.allowed_org" in said
    assert "accepted: barn:owls in hub.login.allowed_organizations, which lets its members log in\n" in f"{said}\n"
    parse_settings(changed(tree("dev"), {"hub": {**hub, "login": OIDC}}))


@pytest.mark.parametrize(("hub", "path"), named("barn:staff"), ids=[path for _, path in named("")])
def test_team_is_refused_as_a_group_where_none_is_wanted(hub: dict[str, Any], path: str) -> None:
    said = refused(hub, MEMBERS)
    assert f"{path}: barn:staff is a team" in said
    assert "accepted: hub.login.organization_groups: true\n" in f"{said}\n"


def test_all_that_a_team_lacks_is_said_at_once() -> None:
    hub, _ = named("barn:owls")[0]
    assert (
        "accepted: hub.login.organization_groups: true and barn:owls in hub.login.allowed_organizations, which lets"
        in refused(hub, MEMBERS)
    )


@pytest.mark.parametrize(("hub", "path"), named("Barn:staff"), ids=[path for _, path in named("")])
def test_team_has_one_spelling(hub: dict[str, Any], path: str) -> None:
    assert f"{path}: Barn:staff is barn:staff in hub.login.allowed_organizations" in refused(hub, GITHUB)


def test_shares_have_teams_and_one_spelling_of_them() -> None:
    """They are compared with the hub's groups, and organizations with what GitHub says."""
    for group in ("barn:staff", "FLOCK", "flock"):
        shares = {"shares": {"fold": {"groups": [group]}}}
        parse_settings(changed(tree("dev"), {"hub": {"login": GITHUB}, "storage": shares}))
    shares = {"shares": {"fold": {"groups": ["Barn:staff"]}}}
    said = refused({}, GITHUB, storage=shares)
    assert "storage.shares.fold.groups.0: Barn:staff is barn:staff in hub.login.allowed_organizations" in said


@pytest.mark.parametrize(("hub", "path"), named("FLOCK"), ids=[path for _, path in named("")])
def test_organization_has_one_spelling(hub: dict[str, Any], path: str) -> None:
    assert f"{path}: FLOCK is flock in hub.login.allowed_organizations" in refused(hub, GITHUB)


@pytest.mark.parametrize("group", ["flock", "barn:staff", "barn", "physics", "course:101"])
def test_organization_and_team_and_group_of_an_administrator_are_accepted(group: str) -> None:
    for hub, _ in named(group):
        parse_settings(changed(tree("dev"), {"hub": {**hub, "login": GITHUB}}))


def test_spelling_is_an_administrators_where_organizations_are_not_groups() -> None:
    for hub, _ in named("FLOCK"):
        parse_settings(changed(tree("dev"), {"hub": {**hub, "login": MEMBERS}}))


def test_organizations_have_to_be_seen_to_be_groups() -> None:
    with pytest.raises(SettingsError, match="organization_groups need read:org in scope"):
        parse_settings(changed(tree("dev"), {"hub": {"login": {**GITHUB, "scope": ["read:user"]}}}))
