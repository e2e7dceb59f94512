"""Logging in with GitHub: real OAuthenticator in a real hub, against GitHub's protocol over TLS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.site import eventually
from tests.programs.hub.asking import SECRETS, configured, site
from tests.programs.hub.github import CLIENT_ID, CLIENT_SECRET, GitHub, running_github
from tests.programs.hub.running import HUB_CA, Browser, serving

pytestmark = pytest.mark.programs

SERVER: Final = Path(__file__).with_name("user_server.py")
LOCAL_SERVERS: Final = f"""
import sys

from henhouse_hub import c

c.JupyterHub.spawner_class = "jupyterhub.spawner.SimpleLocalProcessSpawner"
c.Spawner.cmd = [sys.executable, {str(SERVER)!r}]
c.Spawner.pre_spawn_hook = None
c.Spawner.poll_interval = 1
c.GitHub.auth_refresh_age = 1
"""
"""User servers are processes here; that pods are stopped in the same way is KubeSpawner's."""
SOON: Final = 20.0


class Hub:
    """A hub for the members of `flock` and of the team `barn:staff`, without those of `foxes`."""

    def __init__(self, directory: Path, github: GitHub, **login: object) -> None:
        self._directory = directory
        self.github = github
        settings = {
            "type": "github",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "url": github.url,
            "allowed_organizations": ["flock", "barn:staff"],
            "denied_organizations": ["foxes"],
            **login,
        }
        self._site = site(login=settings, administrators=["ada"])
        self._config = configured(directory, self._site, secrets={**SECRETS, "client-secret": CLIENT_SECRET})
        (directory / "99-local-servers.py").write_text(LOCAL_SERVERS)

    @contextmanager
    def running(self) -> Iterator["Hub"]:
        """Run it."""
        with serving(self._config, SSL_CERT_FILE=str(self._directory / "github-ca.crt")) as self._url:
            yield self

    def log_in(self, login: str) -> tuple[Browser, int]:
        """Go from the hub to GitHub and back as this person; return the browser and the last page's status."""
        browser = Browser(self._url, self._directory / HUB_CA, self._directory / "github-ca.crt")
        self.github.visitor = login
        return browser, browser.follow("/hub/oauth_login?next=/hub/home", f"https://{self._site.hub.host}").status_code

    def lets_in(self, login: str) -> bool:
        """Return whether this person may log in."""
        return self.log_in(login)[1] == 200

    def log(self) -> str:
        """Return what the hub said."""
        return (self._directory / "log").read_text()


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with running_github(tmp_path, ada=1, grace=2, fox=3, Stray=4, hand=5) as running:
        running.members = {"flock": {"ada", "grace", "fox"}, "foxes": {"fox"}, "barn:staff": {"hand"}}
        yield running


@pytest.fixture
def hub(tmp_path: Path, github: GitHub) -> Iterator[Hub]:
    with Hub(tmp_path, github).running() as running:
        yield running


def test_members_come_in_and_nobody_else(hub: Hub) -> None:
    assert hub.lets_in("ada")
    assert hub.lets_in("hand"), "a member of the team"
    assert not hub.lets_in("Stray"), "a member of nothing"
    assert not hub.lets_in("fox"), "a member of what is denied, too"
    hub.github.members["flock"].discard("ada")
    assert not hub.lets_in("ada"), "an administrator's name alone"


def test_membership_that_github_hides_is_no_way_in(hub: Hub) -> None:
    hub.github.hides = {"foxes"}
    assert not hub.lets_in("grace")
    hub.github.hides = {"flock", "barn"}
    assert not hub.lets_in("grace")


def test_account_that_takes_over_a_name_does_not_get_the_files(hub: Hub) -> None:
    assert hub.lets_in("grace")
    hub.github.accounts["grace"] = 99
    assert not hub.lets_in("grace")
    assert "grace is now another account" in hub.log()


def test_who_leaves_is_out_with_their_server(hub: Hub) -> None:
    browser, _ = hub.log_in("grace")
    assert browser.post("/hub/spawn").status_code == 302
    eventually("the server of grace", lambda: _server(browser), seconds=SOON)
    hub.github.members["flock"].discard("grace")
    eventually("the end of that server", lambda: "stopping the server" in hub.log(), seconds=SOON)
    assert browser.get("/hub/home").status_code == 302, "the page asks for a login"
    assert not hub.lets_in("grace")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_github_that_is_away_shuts_nobody_out(tmp_path: Path, github: GitHub, status: int) -> None:
    with Hub(tmp_path, github).running() as hub:
        browser, _ = hub.log_in("grace")
        assert browser.post("/hub/spawn").status_code == 302
        eventually("the server of grace", lambda: _server(browser), seconds=SOON)
        github.answers_with = status
        asked = github.asked
        eventually("a question to GitHub", lambda: github.asked > asked, seconds=SOON)
        assert browser.get("/hub/home").status_code == 200
        assert _server(browser)
        assert "stopping the server" not in hub.log()
        newcomer, answer = hub.log_in("ada")
        assert answer == 503
        del newcomer


def test_last_answer_holds_for_a_set_time(tmp_path: Path, github: GitHub) -> None:
    with Hub(tmp_path, github, hold_seconds=0).running() as hub:
        browser, _ = hub.log_in("grace")
        github.answers_with = 503
        eventually("the request for a login", lambda: browser.get("/hub/home").status_code == 302, seconds=SOON)


def test_secret_is_in_no_file_that_everyone_may_read(tmp_path: Path, github: GitHub) -> None:
    Hub(tmp_path, github)
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.parent.name != "secrets":
            assert CLIENT_SECRET not in path.read_text(), path


def _server(browser: Browser) -> bool:
    """Return whether the hub's page says that the person's server runs."""
    return (
        'id="stop"' in browser.get("/hub/home").text.replace("\n", " ")
        and "display: none" not in browser.get("/hub/home").text.split('id="stop"')[0].rsplit("<a", 1)[-1]
    )
