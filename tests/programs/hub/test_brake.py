"""A provider that says no about many people at once: an organization that is renamed stops no servers, for a while."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from programs.hub.brake import FEW, Brake
from tests.certificates import LOOPBACK
from tests.programs.hub.asking import SECRETS
from tests.programs.hub.provided import SOON, Hub
from tests.programs.hub.provider import GitHub, OpenId, running
from tests.programs.hub.running import Browser
from tests.programs.hub.test_openid import person, with_oidc
from tests.tools import eventually

HOUR: Final = 3600


@pytest.mark.parametrize(
    ("refused", "vouched_for", "held"),
    [
        (1, 49, 0),
        (2, 1, 0),  # of a small hub
        (FEW, 0, 0),
        (FEW + 1, 0, FEW + 1),
        (10, 40, 0),  # a fifth
        (11, 39, 11),
        (50, 0, 50),
        (100, 400, 0),
        (101, 399, 101),
    ],
)
def test_brake_holds_where_many_are_refused_at_once(refused: int, vouched_for: int, held: int) -> None:
    brake = Brake(HOUR)
    out = brake.let_go({f"p{number}": time.time() for number in range(refused)}, others(vouched_for))
    assert len(out) == refused - held
    assert (len(brake.held.people) if brake.held else 0) == held


def test_brake_has_an_end_for_each_person() -> None:
    now = time.time()
    brake = Brake(HOUR)
    since = {f"p{number}": now - 60 * number for number in range(10)}
    since |= {"first": now - HOUR, "of-a-wrong-clock": now + 60}
    assert brake.let_go(since, ()) == ["first", "of-a-wrong-clock"]
    assert brake.held
    assert (brake.held.refused, brake.held.answers) == (12, 12)
    assert brake.held.until == pytest.approx(now - 60 * 9 + HOUR)
    assert len(brake.let_go(dict.fromkeys(since, now - HOUR), ())) == 12
    assert brake.held is None


def others(count: int) -> list[str]:
    """Return the names of people that the provider says yes about."""
    return [f"other{number}" for number in range(count)]


def test_brake_holds_the_others_when_some_of_them_stop_their_servers() -> None:
    now = time.time()
    brake = Brake(HOUR)
    since = {f"p{number}": now - number for number in range(FEW + 1)}
    assert brake.let_go(since, ()) == []
    del since["p0"]
    assert brake.let_go(since, ()) == []
    del since["p1"]
    assert brake.let_go(since, ()) == []
    assert brake.held
    assert (brake.held.refused, brake.held.answers) == (3, 3)
    assert sorted(brake.let_go(since, ["p0"])) == sorted(since), "four are few, and one is let in again"
    assert brake.held is None


def test_who_has_stopped_their_server_prolongs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    brake = Brake(HOUR)
    assert brake.let_go({f"p{number}": now for number in range(30)}, others(70)) == []
    monkeypatch.setattr(time, "time", lambda: now + HOUR)
    assert brake.let_go({"later": now + HOUR}, others(70)) == ["later"]


def test_site_may_have_none() -> None:
    brake = Brake(0)
    assert len(brake.let_go(dict.fromkeys(map(str, range(50)), time.time()), ())) == 50
    assert brake.held is None


PEOPLE: Final = tuple(f"p{number}" for number in range(24))
LOGIN: Final[dict[str, Any]] = {
    "type": "github",
    "allowed_organizations": ["flock"],
    "denied_organizations": ["foxes"],
}
ROUND_SECONDS: Final = 5
LATER: Final = 120.0
"""A round asks a hundred questions here."""
ONE_PROCESS: Final = """
from jupyterhub.spawner import Spawner


class Elsewhere(Spawner):
    async def start(self):
        return {url!r}

    async def poll(self):
        return None if self.server else 0

    async def stop(self, now=False):
        pass


c.JupyterHub.spawner_class = Elsewhere
login.auth_refresh_age = {seconds}
login.http_request_kwargs = {{**login.http_request_kwargs, "connect_timeout": 60, "request_timeout": 60}}
"""
"""User servers are all one here, which outlasts the hub as pods do."""


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def user_server() -> Iterator[str]:
    with ThreadingHTTPServer((str(LOOPBACK), 0), _Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{LOOPBACK}:{server.server_port}"
        finally:
            server.shutdown()


def run(hub: Hub, ada: Browser) -> set[str]:
    """Return whose servers run."""
    answer = hub.api(ada, "GET", "users?state=ready")
    assert answer.status_code == 200, answer.text
    return {each["name"] for each in answer.json()}


def held(hub: Hub) -> float:
    """Return how many people Prometheus is told that the brake holds."""
    return told(hub, "henhouse_refused_people_held")


def told(hub: Hub, metric: str) -> float:
    """Return what Prometheus is told."""
    headers = {"Authorization": f"token {SECRETS['metrics-token']}"}
    page = requests.get(f"{hub.url}/hub/metrics", headers=headers, verify=str(hub.authority)).text
    (line,) = [each for each in page.splitlines() if each.startswith(f"{metric} ")]
    return float(line.split()[1])


@pytest.mark.programs
def test_organization_that_is_renamed_stops_no_server_for_a_while(tmp_path: Path) -> None:
    everybody = {"ada", *PEOPLE}
    with running(github(everybody), tmp_path) as provider, user_server() as url:
        made = Hub(tmp_path, provider, url=provider.url, **LOGIN)
        made.also(ONE_PROCESS.format(url=url, seconds=ROUND_SECONDS))
        with made.running() as hub:
            browsers = {name: hub.log_in(name)[0] for name in sorted(everybody)}
            for browser in browsers.values():
                assert browser.post("/hub/spawn").status_code == 302
            ada, stays = browsers["ada"], everybody - {"p0", "p1"}
            eventually("all servers", lambda: run(hub, ada) == everybody, seconds=LATER)
            leave(hub, "p0")
            renamed(provider)
            eventually("the brake", lambda: held(hub) == 24, seconds=LATER)
            assert hub.says("brake: the provider says no about 24 of 24 people")
            assert run(hub, ada) == everybody - {"p0"}
            page = " ".join(ada.get("/hub/admin/status").text.split())
            assert "The identity provider says no about 24 of 24 people whose servers run." in page
            assert browsers["p2"].get("/hub/home").status_code == 200, "or the server could not be used"
            assert not hub.lets_in("p2"), "a new login"
            stop_and_start_in_vain(hub, ada, browsers["p1"])
            provider.members["foxes"].add("p3")
            eventually("the end of who is denied", lambda: hub.says("stopping the server", "p3"), seconds=LATER)
            provider.members["foxes"].clear()
            stays -= {"p3"}
            assert run(hub, ada) == stays
            renamed(provider)
            eventually("the end of it", lambda: hub.says("brake: off"), seconds=LATER)
            assert held(hub) == 0
            assert "provider says no" not in ada.get("/hub/admin/status").text
            assert run(hub, ada) == stays
            give_no_answer_for_a_while(hub, ada, len(stays))
            assert run(hub, ada) == stays
            assert browsers["p1"].post("/hub/spawn").status_code == 302
            eventually("that server", lambda: run(hub, ada) == stays | {"p1"}, seconds=LATER)
            renamed(provider)
            # Of all: in the middle of a round, the new name would be that of some alone.
            eventually("the brake", lambda: held(hub) == len(stays) + 1, seconds=LATER)
            left = run(hub, ada)
        made.change_login(brake_seconds=1)
        with made.running() as hub:
            over = lambda: all(hub.says("stopping the server", f"of {name},") for name in left)  # noqa: E731
            eventually("the end of all", over, seconds=LATER)
            assert not hub.says("brake: the provider"), "a hub that starts again begins no new delay"


def github(everybody: set[str]) -> GitHub:
    """Return a GitHub with an organization of everybody."""
    return GitHub(
        accounts={name: number for number, name in enumerate(sorted(everybody), 1)},
        organizations={"flock": 1001, "foxes": 1002},
        members={"flock": set(everybody), "foxes": set()},
    )


def renamed(provider: GitHub) -> None:
    """Give the organization another name, or the first one again."""
    old, new = ("flock", "herd") if "flock" in provider.members else ("herd", "flock")
    provider.members[new] = provider.members.pop(old)
    provider.organizations[new] = provider.organizations.pop(old)


def leave(hub: Hub, name: str) -> None:
    """Have one person leave, who is out at once."""
    assert isinstance(hub.provider, GitHub)
    hub.provider.members["flock"].discard(name)
    out = lambda: hub.says("stopping the server", f"of {name},")  # noqa: E731
    eventually("the end of that server", out, seconds=LATER)
    assert not hub.says("brake:")


def give_no_answer_for_a_while(hub: Hub, ada: Browser, people: int) -> None:
    """Have the provider be away for a round, which administrators are told of."""

    def unanswered() -> float:
        return told(hub, "henhouse_unanswered_people")

    assert unanswered() == 0
    hub.provider.answers_with = 502
    eventually("a round without an answer", lambda: unanswered() == people, seconds=LATER)
    page = " ".join(ada.get("/hub/admin/status").text.split())
    assert (
        f"gives no answer about {people} of the people whose servers run. Its last answer about each holds for 1 day"
        in page
    )
    assert hub.says("no answer about", f"{people} of {people} people", "status 502")
    hub.provider.answers_with = None
    eventually("a round with all answers", lambda: unanswered() == 0, seconds=LATER)
    assert "gives no answer" not in ada.get("/hub/admin/status").text


def stop_and_start_in_vain(hub: Hub, ada: Browser, browser: Browser) -> None:
    """Stop the server of p1, which then neither they nor an administrator can start."""
    assert hub.api(browser, "DELETE", "users/p1/server").status_code in (202, 204)
    eventually("the end of that server", lambda: "p1" not in run(hub, ada), seconds=LATER)
    assert browser.post("/hub/spawn").status_code == 403
    assert hub.api(ada, "POST", "users/p1/server").status_code == 403
    assert "p1" not in run(hub, ada)


@pytest.mark.programs
def test_who_is_held_is_asked_about_with_what_their_login_was_renewed_by(tmp_path: Path) -> None:
    """A provider that takes each renewal once gives another with its answer, which may be a no."""
    staff = tuple(f"p{number}" for number in range(FEW + 1))
    claims = {name: person(name, "staff") for name in staff}
    given = OpenId(people={**claims}, gives_refresh_tokens=True)
    with running(given, tmp_path) as provider, user_server() as url:
        made = with_oidc(tmp_path, provider)
        made.also(ONE_PROCESS.format(url=url, seconds=ROUND_SECONDS))
        with made.running() as hub:
            browsers = [hub.log_in(name)[0] for name in staff]
            for browser in browsers:
                assert browser.post("/hub/spawn").status_code == 302
            for name, browser in zip(staff, browsers, strict=True):
                eventually("all servers", lambda b=browser, n=name: hub.runs(b, n), seconds=LATER)  # type: ignore[misc]
            for name in staff:
                access, *_ = hub.tokens_of(name)
                del provider.who[access]
                provider.people[name] = person(name, "renamed")
            eventually("the brake", lambda: held(hub) == len(staff), seconds=LATER)
            provider.people = claims
            eventually("the end of it", lambda: hub.says("brake: off. 0 people"), seconds=SOON)
            assert all(hub.runs(browser, name) for name, browser in zip(staff, browsers, strict=True))


@pytest.mark.programs
def test_logins_from_before_something_was_denied_stop_no_servers(tmp_path: Path) -> None:
    """They do not show organizations: the first site that denies one would otherwise put out everybody at once."""
    staff = {f"p{number}" for number in range(FEW + 1)}
    given = github(staff)
    given.scope = "read:user"
    with running(given, tmp_path) as provider, user_server() as url:
        login: dict[str, Any] = {"type": "github", "allowed_users": sorted(staff), "scope": ["read:user"]}
        made = Hub(tmp_path, provider, url=provider.url, **login)
        made.also(ONE_PROCESS.format(url=url, seconds=ROUND_SECONDS))
        with made.running() as hub:
            for name in sorted(staff):
                browser, _ = hub.log_in(name)
                assert browser.post("/hub/spawn").status_code == 302
                eventually("all servers", lambda b=browser, n=name: hub.runs(b, n), seconds=LATER)  # type: ignore[misc]
        made.change_login(denied_organizations=["foxes"], scope=["read:user", "read:org"])
        with made.running() as hub:
            eventually("the brake", lambda: held(hub) == len(staff), seconds=LATER)
            assert not hub.says("stopping the server")
