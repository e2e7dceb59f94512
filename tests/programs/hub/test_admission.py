"""People that an administrator adds on the page Admin, where others log in as members: in a real hub, over TLS."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
import requests

from programs.hub.culling import NOTES
from tests.programs.hub.provided import SOON, Hub, running_beside
from tests.programs.hub.provider import GOOGLE_PATHS, GitHub, Held, OpenId, running
from tests.programs.hub.running import Browser
from tests.tools import eventually

pytestmark = pytest.mark.programs

LOGIN: Final[dict[str, Any]] = {
    "type": "github",
    "allowed_organizations": ["flock"],
    "denied_organizations": ["foxes"],
    "blocked_users": ["crow"],
}
NAMES: Final = (
    "ada",
    "grace",
    "guest",
    "fox",
    "crow",
    "former",
    "renamed",
    "other",
    "away",
    "early",
    "twice",
    "robot",
    "typo",
)


def github() -> GitHub:
    """Return a GitHub where few are members."""
    return GitHub(
        accounts={name: number for number, name in enumerate(NAMES, 1)},
        organizations={"flock": 1001, "foxes": 1002},
        members={"flock": {"ada", "former", "twice"}, "foxes": {"fox"}},
    )


@pytest.fixture(scope="module")
def one_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_beside(github(), tmp_path_factory.mktemp("hub"), ("ada", "second"), **LOGIN) as hub:
        yield hub


@pytest.fixture
def hub(one_hub: Hub) -> Hub:
    provider = of(one_hub)
    provider.reset()
    provider.accounts, provider.members = github().accounts, github().members
    eventually("answers again", lambda: one_hub.log_in("grace")[1] == 403, seconds=SOON)
    return one_hub


@pytest.fixture
def admin(hub: Hub) -> Browser:
    browser, status = hub.log_in("ada")
    assert status == 200
    return browser


def of(hub: Hub) -> GitHub:
    assert isinstance(hub.provider, GitHub)
    return hub.provider


@contextmanager
def held_at(provider: GitHub, path: str) -> Iterator[Held]:
    """Let a question wait for its answer."""
    held, answer = Held(), provider.answer

    def slowly(asked: str, query: dict[str, str], person: str | None) -> Any:
        if asked.endswith(path):
            held.begun.set()
            assert held.answered.wait(SOON)
        return answer(asked, query, person)

    provider.answer = slowly  # type: ignore[method-assign, assignment]
    try:
        yield held
    finally:
        held.answered.set()
        provider.answer = answer  # type: ignore[method-assign]


def add(hub: Hub, admin: Browser, *names: str) -> requests.Response:
    """Add people as the page Admin does."""
    return hub.api(admin, "POST", "users", usernames=list(names), admin=False)


def test_added_person_comes_in_until_they_are_deleted(hub: Hub, admin: Browser) -> None:
    assert not hub.lets_in("guest")
    assert add(hub, admin, "Guest").status_code == 201
    browser = hub.with_server("guest")
    assert hub.lets_in("guest"), "again"
    hub.asks_again()
    assert browser.get("/hub/home").status_code == 200
    assert hub.runs(browser, "guest")

    def deleted() -> bool:
        """Ask until it is so: the hub refuses while the server is being stopped, which the first question begins."""
        return hub.api(admin, "DELETE", "users/guest").status_code == 204

    eventually("the deletion", deleted, seconds=SOON)
    assert not hub.lets_in("guest")


def test_what_is_denied_wins(hub: Hub, admin: Browser) -> None:
    assert add(hub, admin, "fox", "crow").status_code == 201
    assert not hub.lets_in("fox"), "a member of what is denied"
    assert not hub.lets_in("crow"), "blocked by name"


def test_only_an_administrators_word_counts(hub: Hub, admin: Browser) -> None:
    """Who was let in as a member is in the same list of people, and leaves it for no other reason than a deletion."""
    member, status = hub.log_in("former")
    assert status == 200
    assert hub.api(member, "POST", "users", usernames=["grace"]).status_code == 403
    assert not hub.lets_in("grace")
    of(hub).members["flock"].discard("former")
    assert not hub.lets_in("former")
    assert add(hub, admin, "former").status_code == 409, "deleted first, as docs/hub.md says"
    assert not hub.lets_in("former")
    assert hub.api(admin, "DELETE", "users/former").status_code == 204
    assert hub.api(admin, "POST", "users/former").status_code == 201
    assert hub.lets_in("former")


def test_administrator_is_made_of_an_account_not_of_a_name(hub: Hub, admin: Browser) -> None:
    """Neither by the tick beside "Add users" nor by a later edit: anyone could take the name at the provider first."""
    answer = hub.api(admin, "POST", "users", usernames=["guest"], admin=True)
    assert (answer.status_code, "make them one then" in answer.text) == (400, True)
    assert hub.api(admin, "POST", "users/guest", admin=True).status_code == 400
    assert hub.api(admin, "PATCH", "users/second", name="guest").status_code == 400, "whose name the settings hold"
    assert "hub.administrators" in hub.api(admin, "PATCH", "users/ada", name="adele").text, "who would stay one"
    assert hub.api(admin, "DELETE", "users/second").status_code == 204
    assert add(hub, admin, "second").status_code == 400
    limited = hub.api(admin, "POST", "users/ada/tokens", scopes=["admin:users!user=guest"]).json()["token"]
    answer = requests.post(
        f"{hub.url}/hub/api/users/guest",
        json={"admin": True},
        headers={"Authorization": f"token {limited}"},
        verify=str(hub.authority),
        timeout=30,
    )
    assert answer.status_code == 400, "by a token that may do this alone"
    assert add(hub, admin, "guest").status_code == 201
    assert hub.api(admin, "PATCH", "users/guest", admin=True).status_code == 400
    assert hub.lets_in("guest")
    assert hub.api(admin, "PATCH", "users/guest", admin=True).status_code == 200
    assert hub.log_in("guest")[0].get("/hub/admin").status_code == 200
    assert hub.api(admin, "DELETE", "users/guest").status_code == 204


def test_administrators_name_lets_no_one_in(tmp_path: Path) -> None:
    """Not with `allowed_users` either: JupyterHub would take the administrators for allowed then."""
    with running(github(), tmp_path) as provider:
        provider.members["flock"].discard("ada")
        with Hub(tmp_path, provider, url=provider.url, allowed_users=["grace"], **LOGIN).running() as hub:
            assert hub.lets_in("grace")
            assert not hub.lets_in("ada")


def test_new_name_is_not_what_the_administrator_added(hub: Hub, admin: Browser) -> None:
    assert add(hub, admin, "typo").status_code == 201
    assert hub.api(admin, "PATCH", "users/typo", name="other").status_code == 200
    assert not hub.lets_in("other")
    assert hub.api(admin, "DELETE", "users/other").status_code == 204


def test_login_is_written_by_the_provider_alone(hub: Hub, admin: Browser) -> None:
    member, status = hub.log_in("twice")
    assert status == 200
    addition = {"henhouse": {"added": f"{hub.provider.url} twice"}}
    assert hub.api(admin, "PATCH", "users/twice", auth_state=addition).status_code == 400
    assert hub.api(member, "PATCH", "users/twice", admin=True).status_code in (403, 404)
    assert hub.api(member, "POST", "users", usernames=["grace"], admin=True).status_code == 403


def test_deletion_holds_against_a_login_that_is_under_way(hub: Hub, admin: Browser) -> None:
    """The login is let in for having been added, and waits for the provider while the administrator deletes."""
    assert add(hub, admin, "guest").status_code == 201
    provider = of(hub)
    with held_at(provider, "/orgs/foxes/members/guest") as held, ThreadPoolExecutor() as threads:
        login = threads.submit(hub.lets_in, "guest")
        assert held.begun.wait(SOON)
        assert hub.api(admin, "DELETE", "users/guest").status_code == 204
        held.answered.set()
        assert not login.result()
    assert not hub.lets_in("guest")


def test_name_is_of_the_account_that_came_in_first_not_of_one_that_began_before(hub: Hub, admin: Browser) -> None:
    """Both are new to the hub, as after a name was given up at the provider, and taken."""
    provider = of(hub)
    provider.accounts |= {"Racer": 77, "racer": 78}
    provider.members["flock"] |= {"Racer", "racer"}
    with held_at(provider, "/orgs/foxes/members/Racer") as held, ThreadPoolExecutor() as threads:
        late = threads.submit(hub.log_in, "Racer")
        assert held.begun.wait(SOON)
        first, status = hub.log_in("racer")
        assert status == 200
        held.answered.set()
        second, refused = late.result()
    assert refused == 403
    assert second.get("/hub/home").status_code == 302
    assert first.get("/hub/home").status_code == 200
    login = hub.api(admin, "GET", "users/racer").json()["auth_state"]
    assert login["henhouse"]["account"].endswith(" 78")


def test_account_that_came_first_has_the_name(hub: Hub, admin: Browser) -> None:
    """An added person is renamed, and another account takes the name."""
    assert add(hub, admin, "renamed").status_code == 201
    browser = hub.with_server("renamed")
    provider = of(hub)
    provider.accounts["later"] = provider.accounts.pop("renamed")
    provider.who = {token: "later" if name == "renamed" else name for token, name in provider.who.items()}
    hub.asks_again()
    assert hub.runs(browser, "renamed"), "whoever was added works on"
    provider.accounts["renamed"] = 99
    assert not hub.lets_in("renamed")


@pytest.mark.parametrize("name", ["../kept", "typo/x", "..", "Typo", "typo two", "typo\nx", "typ\u00f6", "t" * 64, ""])
def test_person_is_not_renamed_to_what_no_person_can_be_called(hub: Hub, admin: Browser, name: str) -> None:
    """A token that may change one person would end files of the hub's, which are called as people are."""
    kept = hub.authority.with_name("kept")
    kept.touch()
    kept.with_name(NOTES).mkdir(exist_ok=True)
    assert add(hub, admin, "typo").status_code == 201
    try:
        assert hub.api(admin, "PATCH", "users/typo", name=name).status_code in (400, 403)
    finally:
        assert 204 in [hub.api(admin, "DELETE", f"users/{quote(each, safe='')}").status_code for each in ("typo", name)]
    assert kept.exists()


def test_blocked_person_is_out_whatever_they_are_called_now(tmp_path: Path) -> None:
    """Also while there is no way to ask, as is one whose addition the settings do not count any more."""
    with running(github(), tmp_path) as provider:
        made = Hub(tmp_path, provider, url=provider.url, allowed_users=["grace"], **LOGIN)
        browsers = {}
        with made.running() as hub:
            admin, _ = hub.log_in("ada")
            assert add(hub, admin, "guest", "other").status_code == 201
            for name in ("guest", "other", "grace"):
                browsers[name], status = hub.log_in(name)
                assert status == 200
        names = {"guest": "later", "grace": "gracie"}
        provider.accounts |= {new: provider.accounts.pop(old) for old, new in names.items()}
        provider.who = {token: names.get(name, name) for token, name in provider.who.items()}
        made.also('login.blocked_users = {"guest"}')
        with made.running() as hub:

            def works(name: str) -> bool:
                browsers[name].url, browsers[name].session.verify = hub.url, str(hub.authority)
                return browsers[name].get("/hub/home").status_code == 200

            assert works("grace"), "a person of the settings works on under another name, too"
            assert not works("guest")
        made.also('login.blocked_users = {"guest"}', "login.allow_added_users = False")
        provider.answers_with = 503
        with made.running() as hub:
            assert works("grace")
            assert not works("guest")
            assert not works("other")


def test_provider_that_is_away_at_the_first_login_lets_no_one_in(hub: Hub, admin: Browser) -> None:
    assert add(hub, admin, "away").status_code == 201
    of(hub).answers_with = 503
    assert hub.log_in("away")[1] in (500, 503)
    of(hub).answers_with = None
    eventually("answers again", lambda: hub.lets_in("away"), seconds=SOON)


def test_no_server_and_no_token_before_the_first_login(hub: Hub, admin: Browser) -> None:
    """They would be of no account, and whoever has the name at the provider would get them."""
    assert add(hub, admin, "early", "robot").status_code == 201
    assert hub.api(admin, "POST", "users/early/server").status_code == 403
    assert hub.lets_in("early")
    assert hub.api(admin, "POST", "users/robot/tokens").status_code == 201
    assert not hub.lets_in("robot")


def test_addition_outlives_the_hub_and_ends_with_the_setting(tmp_path: Path) -> None:
    with running(github(), tmp_path) as provider:
        made = Hub(tmp_path, provider, url=provider.url, **LOGIN)
        with made.running() as hub:
            assert add(hub, hub.log_in("ada")[0], "guest", "other").status_code == 201
            assert hub.lets_in("guest")
        with made.running() as hub:
            assert hub.lets_in("guest")
            assert hub.lets_in("other"), "who had not been here yet"
            assert not hub.lets_in("grace"), "starting adds no one"
        made.also("login.allow_added_users = False")
        with made.running() as hub:
            assert not hub.lets_in("guest")
        made.also('login.account_issuer = "https://github.example.org"')
        with made.running() as hub:
            assert not hub.lets_in("other"), "whoever has the name at another provider"


GOOGLE: Final[dict[str, dict[str, Any]]] = {
    "ada": {"id": "1", "email": "ada@example.edu", "verified_email": True, "hd": "example.edu"},
    "guest": {"id": "2", "email": "guest@example.edu", "verified_email": True, "hd": "example.edu"},
    "unverified": {"id": "3", "email": "unverified@example.edu", "verified_email": False, "hd": "example.edu"},
    "elsewhere": {"id": "4", "email": "elsewhere@example.org", "verified_email": True, "hd": "example.org"},
}


def test_address_has_to_be_verified_and_of_the_domain(tmp_path: Path) -> None:
    with running(OpenId(people=GOOGLE, **GOOGLE_PATHS), tmp_path) as provider:
        made = Hub(tmp_path, provider, type="google", hosted_domain=["example.edu"], allowed_users=["ada"])
        made.also(f'login.authorize_url = "{provider.url}/authorize"', f'login.google_api_url = "{provider.url}"')
        with made.running() as hub:
            assert add(hub, hub.log_in("ada")[0], "guest", "unverified", "elsewhere").status_code == 201
            assert hub.lets_in("guest")
            assert not hub.lets_in("unverified")
            assert not hub.lets_in("elsewhere")


def test_groups_of_the_provider_stay_the_persons(tmp_path: Path) -> None:
    """Groups in the hub are those of the provider: an addition makes none, and takes none away."""
    people: dict[str, dict[str, Any]] = {
        "ada": {"sub": "a", "preferred_username": "ada", "groups": ["staff"]},
        "guest": {"sub": "g", "preferred_username": "guest", "groups": ["visitors"]},
    }
    with running(OpenId(people=people), tmp_path) as provider:
        login: dict[str, Any] = {f"{name}_url": f"{provider.url}/{name}" for name in ("authorize", "token")}
        login |= {"issuer": "https://id.example.edu", "userdata_url": f"{provider.url}/userinfo"}
        with Hub(tmp_path, provider, type="oidc", allowed_groups=["staff"], **login).running() as hub:
            admin, _ = hub.log_in("ada")
            assert not hub.lets_in("guest")
            assert add(hub, admin, "guest").status_code == 201
            assert hub.lets_in("guest")
            assert hub.api(admin, "GET", "users/guest").json()["groups"] == ["visitors"]
