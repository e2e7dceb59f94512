"""Organizations and teams of GitHub as groups of the hub: real OAuthenticator in a real hub, as in test_github.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.programs.hub.provided import SOON, Hub, running_beside
from tests.programs.hub.provider import Answer, GitHub, running
from tests.programs.hub.running import Browser
from tests.tools import eventually

pytestmark = pytest.mark.programs

LOGIN: dict[str, Any] = {
    "type": "github",
    "allowed_organizations": ["Flock", "Barn:staff", "barn:owls", "barn:night", "nest"],
    "denied_organizations": ["barn:foxes"],
    "organization_groups": True,
}
"""At GitHub the organization is called barn."""
JOIN_AT_A_START = (
    "from organizations import join",
    "c.Spawner.auth_state_hook = lambda spawner, state: join(spawner.user, state, ['Flock', 'barn:owls'])",
)
"""As the hook does that is KubeSpawner's."""


def github() -> GitHub:
    """Return a GitHub with some people; those of its teams are in no other organization that lets people in."""
    people = ("ada", "pat", "kim", "hand", "owl", "moth", "guard", "lee", "fox")
    return GitHub(
        accounts={name: number for number, name in enumerate(people, 1)},
        organizations={"Flock": 1001, "barn": 1003, "nest": 1004},
        members={
            "Flock": {"ada", "pat", "kim"},
            "barn": {"kim", "hand", "owl", "moth", "guard", "lee", "fox"},
            "barn:staff": {"hand", "lee", "fox"},
            "barn:owls": {"owl", "lee", "moth", "guard"},
            "barn:foxes": {"fox"},
        },
    )


@pytest.fixture(scope="module")
def one_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_beside(github(), tmp_path_factory.mktemp("hub"), **LOGIN) as hub:
        yield hub


@pytest.fixture(scope="module")
def administrator(one_hub: Hub) -> Browser:
    return one_hub.with_server("ada")


@pytest.fixture
def hub(one_hub: Hub) -> Hub:
    """Return the hub, with GitHub as it was."""
    fresh, provider = github(), of(one_hub)
    provider.reset()
    provider.members, provider.parents, provider.lists_teams = fresh.members, {}, True
    return one_hub


def of(hub: Hub) -> GitHub:
    assert isinstance(hub.provider, GitHub)
    return hub.provider


def groups(hub: Hub, administrator: Browser, person: str) -> list[str]:
    """Return the person's groups in the hub."""
    return sorted(hub.api(administrator, "GET", f"users/{person}").json()["groups"])


def test_organizations_are_groups_beside_those_of_an_administrator(hub: Hub, administrator: Browser) -> None:
    assert hub.with_server("pat")
    assert groups(hub, administrator, "pat") == ["Flock"]
    hub.api(administrator, "POST", "groups/physics")
    hub.api(administrator, "POST", "groups/physics/users", users=["pat"])
    assert groups(hub, administrator, "pat") == ["Flock", "physics"]
    of(hub).members |= {"nest": {"pat"}}
    of(hub).members["barn"].add("pat")
    eventually(
        "the other organization",
        lambda: groups(hub, administrator, "pat") == ["Flock", "nest", "physics"],
        seconds=SOON,
    )
    of(hub).members["Flock"].discard("pat")
    eventually("the end of the first", lambda: groups(hub, administrator, "pat") == ["nest", "physics"], seconds=SOON)


def test_teams_are_groups_as_the_settings_spell_them(hub: Hub, administrator: Browser) -> None:
    hub.with_server("lee")
    assert groups(hub, administrator, "lee") == ["Barn:staff", "barn:owls"]
    hub.with_server("kim")
    assert groups(hub, administrator, "kim") == ["Flock"], "of the organization, and of no team"


def test_who_joins_and_leaves_a_team_does_so_in_the_group(hub: Hub, administrator: Browser) -> None:
    hub.with_server("hand")
    assert groups(hub, administrator, "hand") == ["Barn:staff"]
    of(hub).members["barn:owls"].add("hand")
    eventually(
        "the other team", lambda: groups(hub, administrator, "hand") == ["Barn:staff", "barn:owls"], seconds=SOON
    )
    of(hub).members["barn:staff"].discard("hand")
    eventually("the end of the first", lambda: groups(hub, administrator, "hand") == ["barn:owls"], seconds=SOON)
    of(hub).members["barn:foxes"].add("hand")
    eventually("the end of the server", lambda: hub.says("stopping the server", "hand"), seconds=SOON)


def test_team_inside_a_team_is_in_both_groups(hub: Hub, administrator: Browser) -> None:
    """Its members are let in as members of the one around it, which GitHub's list of their teams does not name."""
    of(hub).parents = {"barn:dusk": "barn:night", "barn:moths": "barn:dusk"}
    of(hub).members |= {"barn:moths": {"moth"}, "barn:owls": {"owl"}}
    hub.with_server("moth")
    assert groups(hub, administrator, "moth") == ["barn:night"]


def test_teams_that_github_does_not_list_are_asked_for(hub: Hub, administrator: Browser) -> None:
    of(hub).lists_teams = False
    hub.with_server("guard")
    assert groups(hub, administrator, "guard") == ["barn:owls"]


@pytest.fixture(scope="module")
def person_at_work(one_hub: Hub) -> Browser:
    return one_hub.with_server("owl")


@pytest.mark.parametrize("answer", [(429, None, {}), (502, None, {}), (200, "<html>", {}), (200, "null", {})])
def test_last_answer_holds_while_teams_are_not_listed(
    hub: Hub, administrator: Browser, person_at_work: Browser, answer: Answer
) -> None:
    provider, right = of(hub), of(hub).answer
    try:
        provider.answer = lambda path, query, person: (  # type: ignore[method-assign]
            answer if path.endswith("/user/teams") else right(path, query, person)
        )
        provider.members["barn:owls"].discard("owl")
        hub.asks_again()
        assert groups(hub, administrator, "owl") == ["barn:owls"]
        assert hub.runs(person_at_work, "owl")
    finally:
        provider.answer = right  # type: ignore[method-assign]


def test_one_answer_says_all_teams(hub: Hub) -> None:
    """GitHub is not asked about people outside of organizations with a team here."""
    asked: list[str] = []
    provider, right = of(hub), of(hub).answer

    def noted(path: str, query: dict[str, str], person: str | None) -> Answer:
        asked.append(f"{person} {path.removeprefix('/api/v3')}")
        return right(path, query, person)

    try:
        provider.answer = noted  # type: ignore[method-assign]
        assert hub.lets_in("kim")
        assert hub.lets_in("pat")
    finally:
        provider.answer = right  # type: ignore[method-assign]
    assert "kim /user/teams" in asked
    assert "pat /user/orgs" in asked
    assert "pat /user/teams" not in asked


def test_group_of_what_left_the_settings_is_empty(tmp_path: Path) -> None:
    with running(github(), tmp_path) as provider:
        provider.members["barn:staff"].add("ada")
        provider.members["barn"].add("ada")
        made = Hub(tmp_path, provider, url=provider.url, **LOGIN)
        with made.running() as hub:
            assert groups(hub, hub.with_server("ada"), "ada") == ["Barn:staff", "Flock"]
        made.change_login(allowed_organizations=["nest"])
        with made.running() as hub:
            provider.members |= {"nest": {"ada"}}
            browser, status = hub.log_in("ada")
            assert status == 200
            for name in ("Flock", "Barn:staff"):
                assert hub.api(browser, "GET", f"groups/{name}").json()["users"] == []


def test_group_that_becomes_that_of_a_team_waits_for_the_answer(tmp_path: Path) -> None:
    """A login from before says nothing of teams, and the hub says which people an administrator had put in."""
    with running(github(), tmp_path) as provider:
        made = Hub(tmp_path, provider, url=provider.url, **{**LOGIN, "allowed_organizations": ["Flock"]})
        with made.running() as hub:
            browser, _ = hub.log_in("ada")
            hub.api(browser, "POST", "groups/barn:owls")
            hub.api(browser, "POST", "groups/barn:owls/users", users=["ada"])
        made.change_login(allowed_organizations=["Flock", "barn:owls"])
        made.also(*JOIN_AT_A_START)
        provider.answers_with = 503
        with made.running() as hub:
            assert hub.says("from now on GitHub says who is in the group barn:owls, which had ada")
            browser.url, browser.session.verify = hub.url, hub.browser().session.verify
            hub.api(browser, "POST", "users/ada/server")
            eventually("the server", lambda: hub.runs(browser, "ada"), seconds=SOON)
            assert groups(hub, browser, "ada") == ["Flock", "barn:owls"]
            provider.reset()
            eventually("the answer", lambda: groups(hub, browser, "ada") == ["Flock"], seconds=SOON)
