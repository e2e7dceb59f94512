"""Logging in with GitHub: real OAuthenticator in a real hub, against GitHub's protocol over TLS."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.programs.hub.provided import SOON, Hub, running_beside
from tests.programs.hub.provider import CLIENT_SECRET, Answer, GitHub, Held, running
from tests.programs.hub.running import Browser
from tests.tools import eventually

pytestmark = pytest.mark.programs


TWICE: Final = ("rex", "sue")
"""They log in again while they are logged in."""

STARTS_WAIT: Final = """
import asyncio
from pathlib import Path


async def wait(spawner):
    while Path({held!r}).exists():
        await asyncio.sleep(0.1)


c.Spawner.pre_spawn_hook = wait
"""
"""A hub whose servers start when a file is gone."""


def github() -> GitHub:
    """Return a GitHub with some people."""
    flock = {"grace", "kim", "lee", "max", "ned", "off", "pat", "quy", "uma", "val", "wes", *TWICE}
    both = {"fox", "vixen"}
    return GitHub(
        accounts={name: number for number, name in enumerate(("ada", *sorted({*flock, *both, "Stray", "hand"})), 1)},
        organizations={"Flock": 1001, "foxes": 1002, "barn": 1003, "nest": 1004},
        members={"Flock": {"ada"} | flock | both, "foxes": both, "barn:staff": {"hand"}, "barn": {"hand"}},
    )


LOGIN: dict[str, Any] = {
    "type": "github",
    "allowed_organizations": ["Flock", "barn:staff", "nest"],
    "denied_organizations": ["foxes"],
}


@pytest.fixture(scope="module")
def one_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_beside(github(), tmp_path_factory.mktemp("hub"), **LOGIN) as hub:
        yield hub


@pytest.fixture
def hub(one_hub: Hub) -> Hub:
    """Return the hub of the members of Flock and of the team barn:staff, without those of foxes."""
    fresh = github()
    provider = one_hub.provider
    assert isinstance(provider, GitHub)
    provider.reset()
    provider.accounts, provider.organizations, provider.members = fresh.accounts, fresh.organizations, fresh.members
    provider.restricted, provider.scope = set(), fresh.scope
    eventually("answers again", lambda: one_hub.log_in("Stray")[1] == 403, seconds=SOON)
    return one_hub


def of(hub: Hub) -> GitHub:
    assert isinstance(hub.provider, GitHub)
    return hub.provider


def test_only_members_come_in(hub: Hub) -> None:
    assert hub.lets_in("ada")
    assert hub.lets_in("hand"), "a member of the team"
    assert not hub.lets_in("Stray"), "a member of nothing"
    assert not hub.lets_in("fox"), "a member of what is denied, too"
    of(hub).members["Flock"].discard("ada")
    assert not hub.lets_in("ada"), "an administrator's name alone"


def test_team_of_the_same_name_in_another_organization_lets_no_one_in(hub: Hub) -> None:
    of(hub).members |= {"foxes:staff": {"Stray"}, "stable:staff": {"Stray"}, "staff": {"Stray"}}
    of(hub).members["barn"].add("Stray")
    assert not hub.lets_in("Stray")


def test_membership_that_github_hides_lets_no_one_in(hub: Hub) -> None:
    of(hub).restricted = {"foxes"}
    assert not hub.lets_in("vixen")
    assert hub.lets_in("kim"), "what an organization hides of its members does not affect others"
    of(hub).restricted = {"Flock", "barn"}
    assert not hub.lets_in("wes"), "GitHub has never said yes"
    assert hub.lets_in("kim"), "the last answer holds"


def test_membership_that_github_hides_later_stops_no_server(hub: Hub) -> None:
    """As when an organization restricts applications, of whose members alone GitHub says that."""
    browser = hub.with_server("val")
    of(hub).restricted = {"Flock"}
    hub.asks_again()
    assert hub.runs(browser, "val")
    of(hub).members["Flock"].discard("val")
    eventually("the end of that server", lambda: hub.says("stopping the server", "val"), seconds=SOON)


UNSAID: Final[Mapping[str, Answer]] = {
    "a limit in words": (
        403,
        {"message": "x", "documentation_url": "https://docs.github.com/x#secondary-rate-limits"},
        {},
    ),
    "a proxy's page that is not there": (404, "<html>not found</html>", {}),
    "a proxy's refusal": (403, "<html>blocked</html>", {}),
}


@pytest.mark.parametrize("how", UNSAID)
def test_answer_about_a_membership_that_is_none_stops_no_server(hub: Hub, person_at_work: Browser, how: str) -> None:
    """GitHub says whose the token is, and something else answers whether that is a member."""
    provider = of(hub)
    answer = provider._membership
    try:
        provider._membership = lambda *_, **__: UNSAID[how]  # type: ignore[method-assign]
        hub.asks_again()
        assert hub.runs(person_at_work, "off")
        assert not hub.says("stopping the server", "off")
    finally:
        provider._membership = answer  # type: ignore[method-assign]


def test_account_that_github_suspends_is_out(hub: Hub) -> None:
    hub.with_server("uma")
    provider = of(hub)
    answer = provider.answer
    suspended: Answer = (403, {"message": "Sorry. Your account was suspended"}, {})
    try:
        provider.answer = lambda path, query, person: (  # type: ignore[method-assign]
            suspended if person == "uma" else answer(path, query, person)
        )
        eventually("the end of that server", lambda: hub.says("stopping the server", "uma"), seconds=SOON)
    finally:
        provider.answer = answer  # type: ignore[method-assign]


def test_click_does_not_wait_for_a_slow_answer_which_counts_when_it_comes(tmp_path: Path) -> None:
    with running(github(), tmp_path) as provider:
        made = Hub(tmp_path, provider, url=provider.url, **LOGIN)
        made.also('login.http_request_kwargs = {**login.http_request_kwargs, "request_timeout": 600}')
        with made.running() as hub:
            browser = hub.with_server("pat")
            provider.held[hub.tokens_of("pat")[-1]] = held = Held()
            eventually("a question", held.begun.is_set, seconds=SOON)
            assert browser.get("/hub/home").status_code == 200
            assert not held.answered.is_set()
            provider.members["Flock"].discard("pat")
            held.answered.set()
            eventually("the end of that server", lambda: hub.says("stopping the server", "pat"), seconds=SOON)


def test_who_does_not_show_their_organizations_cannot_hide_a_denied_one(hub: Hub) -> None:
    of(hub).scope = "read:user"
    assert not hub.lets_in("vixen")
    assert hub.says("vixen is refused", "did not let the hub read")


def test_account_that_takes_over_a_name_does_not_get_the_files(hub: Hub) -> None:
    assert hub.lets_in("lee")
    of(hub).accounts["lee"] = 99
    assert not hub.lets_in("lee")
    assert hub.says("lee is now another account")


def test_person_who_is_renamed_works_on_and_is_asked_about_by_the_new_name(hub: Hub) -> None:
    browser = hub.with_server("max")
    provider = of(hub)
    provider.accounts["maxine"] = provider.accounts.pop("max")
    provider.who = {token: "maxine" if each == "max" else each for token, each in provider.who.items()}
    provider.members["Flock"] = provider.members["Flock"] - {"max"} | {"maxine"}
    hub.asks_again()
    assert hub.runs(browser, "max")
    provider.accounts["ada"] = provider.accounts.pop("maxine")  # an administrator's name, for a while
    provider.who = {token: "ada" if each == "maxine" else each for token, each in provider.who.items()}
    hub.asks_again()
    assert browser.get("/hub/home").status_code == 200
    assert browser.get("/hub/admin").status_code == 403
    provider.accounts["maxine"] = provider.accounts.pop("ada")
    provider.who = {token: "maxine" if each == "ada" else each for token, each in provider.who.items()}
    provider.members["Flock"] |= {"max"}  # another account takes the name
    provider.members["Flock"].discard("maxine")
    eventually("the end of that server", lambda: hub.says("stopping the server", "max"), seconds=SOON)


def test_person_has_numbers_from_github_however_many_organizations_they_are_in(hub: Hub) -> None:
    provider = of(hub)
    many = {f"club-{number}": 5000 + number for number in range(250)}
    provider.organizations = {**many, **provider.organizations}
    provider.members |= {name: {"ada"} for name in many}
    provider.members["barn"].add("ada")
    browser, status = hub.log_in("ada")
    assert status == 200
    known = hub.api(browser, "GET", "users/ada").json()["auth_state"]["henhouse"]
    assert known["account"] == f"{provider.url} 1"
    assert known["uid"] == 2**29 + 1
    assert known["groups"] == {"flock": 2**30 + 1001, "barn": 2**30 + 1003}, "those of the settings alone"


def test_name_that_has_something_to_lose_is_not_given_away(hub: Hub) -> None:
    """A name from before: whoever has it at GitHub may be another person."""
    provider = of(hub)
    provider.accounts |= {"old": 50, "added": 51}
    provider.members["Flock"] |= {"old", "added"}
    admin, _ = hub.log_in("ada")
    for name in ("old", "added"):
        assert hub.api(admin, "POST", f"users/{name}").status_code == 201
    assert hub.api(admin, "POST", "users/old/tokens").status_code == 201
    browser, status = hub.log_in("old")
    assert status == 403
    assert "delete this user" in browser.last.text
    assert hub.lets_in("added"), "an administrator has only named the person"
    assert hub.api(admin, "DELETE", "users/old").status_code == 204
    assert hub.lets_in("old")


def test_name_that_begins_with_a_digit_is_not_a_number_here(hub: Hub) -> None:
    of(hub).accounts["0xada"] = 60
    of(hub).members["Flock"].add("0xada")
    browser, status = hub.log_in("0xada")
    assert status == 200
    assert "u_0xada" in browser.last.text


def test_who_leaves_is_out_with_their_server(hub: Hub) -> None:
    browser = hub.with_server("grace")
    token = hub.api(browser, "POST", "users/grace/tokens").json()["token"]
    script = hub.browser()
    script.session.headers["Authorization"] = f"token {token}"
    assert script.get("/hub/api/user").status_code == 200
    of(hub).members["Flock"].discard("grace")
    eventually("the end of that server", lambda: hub.says("stopping the server", "grace"), seconds=SOON)
    assert script.get("/hub/api/user").status_code == 403, "and with their scripts"
    assert browser.get("/hub/home").status_code == 302, "the page asks for a login"
    assert not hub.lets_in("grace")
    of(hub).members["Flock"].add("grace")
    assert hub.lets_in("grace")
    assert script.get("/hub/api/user").status_code == 403, "sessions and tokens from before have ended"


@contextmanager
def finding_nothing_of(provider: GitHub, name: str) -> Iterator[list[str]]:
    """Find no membership of this person, and then answer no question about them; yield what it was asked meanwhile."""
    answer = provider.answer
    asked: list[str] = []

    def on_the_way_down(path: str, query: dict[str, str], person: str | None) -> Answer:
        if person != name:
            return answer(path, query, person)
        if "/members/" in path and (asked or "/foxes/" in path):  # from the first question of a round on
            asked.append(path)
            return 404, {"message": "Not Found"}, {}
        return (503, None, {}) if asked else answer(path, query, person)

    provider.answer = on_the_way_down  # type: ignore[method-assign]
    try:
        yield asked
    finally:
        provider.answer = answer  # type: ignore[method-assign]


def test_no_that_github_does_not_say_again_stops_no_server(hub: Hub) -> None:
    """As on its way into an outage, when it does not find what it knows."""
    browser = hub.with_server("kim")
    with finding_nothing_of(of(hub), "kim") as asked:
        eventually("a no", lambda: len(asked) == 4, seconds=SOON)
        hub.asks_again()
        assert browser.get("/hub/home").status_code == 200
        assert hub.runs(browser, "kim")
        assert hub.log_in("kim")[1] == 503, "what it said last was no"
    eventually("a yes", lambda: hub.lets_in("kim"), seconds=SOON)
    assert not hub.says("stopping the server", "kim")
    of(hub).members["Flock"].discard("kim")
    eventually("the end of that server", lambda: hub.says("stopping the server", "kim"), seconds=SOON)


def test_no_counts_without_another_when_the_last_yes_is_too_old(tmp_path: Path) -> None:
    """Otherwise who spends all that GitHub answers for their account could stay for ever."""
    with (
        running(github(), tmp_path) as provider,
        Hub(tmp_path, provider, url=provider.url, hold_seconds=0, **LOGIN).running() as hub,
    ):
        hub.with_server("grace")
        with finding_nothing_of(provider, "grace"):
            eventually("the end of that server", lambda: hub.says("stopping the server", "grace"), seconds=SOON)


def test_server_that_is_starting_is_stopped_when_it_has_started(tmp_path: Path) -> None:
    """Also where no later answer of the provider would say so."""
    held = tmp_path / "starts-wait"
    held.touch()
    with running(github(), tmp_path) as provider:
        made = Hub(tmp_path, provider, url=provider.url, **LOGIN)
        made.also(STARTS_WAIT.format(held=str(held)))
        with made.running() as hub:
            browser, _ = hub.log_in("pat")
            assert browser.post("/hub/spawn").status_code == 302
            provider.members["Flock"].discard("pat")
            eventually("the end of the session", lambda: browser.get("/hub/home").status_code == 302, seconds=SOON)
            provider.answers_with = 503
            held.unlink()
            eventually("the end of that server", lambda: hub.says("stopping the server", "pat"), seconds=SOON)


def test_who_becomes_denied_is_out_with_their_server(hub: Hub) -> None:
    hub.with_server("kim")
    of(hub).members["foxes"].add("kim")
    eventually("the end of that server", lambda: hub.says("stopping the server", "kim"), seconds=SOON)


@pytest.mark.parametrize(("person", "answer"), zip(TWICE, ["yes", "no"], strict=True))
def test_answer_about_a_login_that_was_replaced_does_not_count(hub: Hub, person: str, answer: str) -> None:
    """It comes after the person logged in again, and would bring their old token back, or end their server."""
    browser = hub.with_server(person)
    (*_, old) = hub.tokens_of(person)
    held = of(hub).held[old] = Held()
    assert held.begun.wait(SOON)
    assert hub.lets_in(person)
    (*_, new) = hub.tokens_of(person)
    if answer == "no":
        of(hub).who.pop(old)
    held.answered.set()
    hub.asks_again()
    assert hub.runs(browser, person)
    administrator, _ = hub.log_in("ada")
    assert hub.api(administrator, "GET", f"users/{person}").json()["auth_state"]["access_token"] == new != old


def test_who_takes_the_token_back_cannot_stay(hub: Hub) -> None:
    """GitHub's tokens do not end by themselves: who could take theirs back would never be asked about again."""
    browser = hub.with_server("ned")
    of(hub).revoke("ned")
    eventually("the end of that server", lambda: hub.says("stopping the server", "ned"), seconds=SOON)
    assert browser.get("/hub/home").status_code == 302
    assert hub.lets_in("ned"), "a member still"


AWAY: Final[Mapping[str, Mapping[str, Any]]] = {
    "429": {"answers_with": 429},
    "a limit": {"answers_with": 403, "headers": {"X-RateLimit-Remaining": "0"}},
    "another limit": {"answers_with": 403, "headers": {"Retry-After": "60"}},
    "a limit in words": {"answers_with": 403, "says": {"message": "You have exceeded a secondary rate limit."}},
    "a refusal without a reason": {"answers_with": 403},
    "a path that is not there": {"answers_with": 404},
    "a proxy that wants a login": {"answers_with": 407, "says": "<html>log in</html>"},
    "a proxy that lost its own login": {"answers_with": 401, "says": "<html>log in</html>"},
    "a proxy that blocks": {"answers_with": 403, "says": "<html>blocked</html>"},
    "500": {"answers_with": 500},
    "503": {"answers_with": 503},
    "a page of a proxy": {"garbage": "<html>maintenance</html>"},
    "nothing": {"garbage": "null"},
    "an account without fields": {"garbage": "{}"},
    "a list": {"garbage": "[]"},
    "silence": {"silent": True},
}


@pytest.fixture(scope="module")
def person_at_work(one_hub: Hub) -> Browser:
    of(one_hub).restricted = set()  # it is made before `hub`
    return one_hub.with_server("off")


@pytest.mark.parametrize("how", AWAY)
def test_github_that_is_away_shuts_no_one_out(hub: Hub, person_at_work: Browser, how: str) -> None:
    browser = person_at_work
    for name, value in AWAY[how].items():
        if name == "silent":
            hub.provider.silent.set()
        else:
            setattr(hub.provider, name, value)
    hub.asks_again()
    assert browser.get("/hub/home").status_code == 200
    assert hub.runs(browser, "off")
    assert not hub.says("stopping the server", "off")
    newcomer, status = hub.log_in("pat")
    assert status == 503
    assert "Please try again in a few minutes" in newcomer.last.text


def test_last_answer_holds_at_a_login_too(hub: Hub) -> None:
    """GitHub says who it is, and not whether that is a member."""
    assert hub.lets_in("pat")
    provider = of(hub)
    answer = provider._membership
    try:
        provider._membership = lambda *_, **__: (502, None, {})  # type: ignore[method-assign]
        assert hub.lets_in("pat")
        assert not hub.lets_in("quy"), "there is no last answer for this person"
    finally:
        provider._membership = answer  # type: ignore[method-assign]


def test_one_persons_limit_does_not_affect_others(hub: Hub) -> None:
    provider = of(hub)
    answer = provider.answer
    try:
        provider.answer = lambda path, query, person: (  # type: ignore[method-assign]
            (429, {"message": "limit"}, {}) if person == "vixen" else answer(path, query, person)
        )
        assert hub.log_in("vixen")[1] == 503
        assert hub.lets_in("quy")
    finally:
        provider.answer = answer  # type: ignore[method-assign]


def test_forged_answers_of_the_provider_are_refused(hub: Hub) -> None:
    """What an attacker makes a browser open: their own code, without or with another state."""
    hub.provider.visitor = "quy"
    attacker = hub.browser()
    location = attacker.get("/hub/oauth_login").headers["Location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    theirs = urlsplit(hub.provider.authorize(query))
    assert hub.browser().get(f"/hub/oauth_callback?{theirs.query}").status_code == 400, "a browser that asked nothing"
    victim = hub.browser()
    victim.get("/hub/oauth_login")
    assert victim.get(f"/hub/oauth_callback?{theirs.query}").status_code == 400, "the state of another browser"
    state = base64.urlsafe_b64encode(json.dumps({"state_id": None}).encode()).decode()
    assert hub.browser().get(f"/hub/oauth_callback?code=x&state={state}").status_code == 400
    own = victim.get("/hub/oauth_login").headers["Location"]
    state = parse_qs(urlsplit(own).query)["state"][0]
    code = parse_qs(theirs.query)["code"][0]
    assert victim.get(f"/hub/oauth_callback?code={code}&state={state}").status_code == 403, "a code of another browser"
    assert victim.get("/hub/home").status_code == 302


def test_login_leads_to_no_other_place(hub: Hub) -> None:
    browser = hub.browser()
    hub.provider.visitor = "quy"
    answer = browser.get("/hub/oauth_login?next=https://evil.example/x")
    answer = browser.session.get(answer.headers["Location"], allow_redirects=False)
    answer = browser.session.get(answer.headers["Location"].replace(hub.public, browser.url), allow_redirects=False)
    assert answer.headers["Location"] == "/x"


def test_token_of_another_application_logs_no_one_in(hub: Hub) -> None:
    token = hub.provider.issue("quy")["access_token"]
    browser = hub.browser()
    for scheme in ("Bearer", "token"):
        browser.session.headers["Authorization"] = f"{scheme} {token}"
        assert browser.get("/hub/api/user").status_code == 403


def test_hub_that_starts_again_knows_who_had_a_name(tmp_path: Path) -> None:
    with running(github(), tmp_path) as provider:
        made = Hub(tmp_path, provider, url=provider.url, **LOGIN)
        with made.running() as hub:
            assert hub.lets_in("lee")
        provider.accounts["lee"] = 99
        with made.running() as hub:
            assert not hub.lets_in("lee")
            assert hub.says("lee is now another account")


def test_former_administrator_has_no_rights(tmp_path: Path) -> None:
    with running(github(), tmp_path) as provider:
        made = Hub(tmp_path, provider, url=provider.url, **LOGIN)
        with made.running() as hub:
            browser, _ = hub.log_in("ada")
            assert browser.get("/hub/admin").status_code == 200
        made.appoint("grace")
        with made.running() as hub:
            provider.answers_with = 503  # there is no way to ask
            browser.url = hub.url
            browser.session.verify = hub.browser().session.verify
            assert browser.get("/hub/home").status_code == 200
            assert browser.get("/hub/admin").status_code == 403


def test_last_answer_holds_for_a_set_time(tmp_path: Path) -> None:
    with (
        running(github(), tmp_path) as provider,
        Hub(tmp_path, provider, url=provider.url, hold_seconds=0, **LOGIN).running() as hub,
    ):
        browser = hub.with_server("grace")
        provider.answers_with = 503
        eventually("the request for a login", lambda: browser.get("/hub/home").status_code == 302, seconds=SOON)
        assert not hub.says("stopping the server"), "no answer said that the person left"


def test_secret_is_in_no_file_that_everyone_may_read(tmp_path: Path) -> None:
    with running(github(), tmp_path) as provider:
        Hub(tmp_path, provider, url=provider.url, **LOGIN)
        for path in tmp_path.rglob("*"):
            if path.is_file() and path.parent.name != "secrets":
                assert CLIENT_SECRET not in path.read_text(), path
