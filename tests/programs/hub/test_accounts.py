"""Who becomes an administrator of a hub with accounts: its own pages, asked as a browser asks them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.programs.hub.asking import SECRETS, configured, site
from tests.programs.hub.running import HUB_CA, Browser, serving

pytestmark = pytest.mark.programs

FIRST: Final = "first-password-of-ada"
CHOSEN: Final = "a-password-that-was-chosen"


class Person(Browser):
    """The browser of a person with an account that the hub keeps."""

    def add(self, name: str) -> int:
        """Add a person as the page /hub/admin does, and return the status."""
        headers = {"Referer": f"{self.url}/hub/admin"}
        where = f"{self.url}/hub/api/users/{name}"
        return self.session.post(where, params={"_xsrf": self.xsrf()}, headers=headers).status_code

    def ask_for_a_token(self, name: str, password: str) -> int:
        """Ask the API for a token with a password, and return the status."""
        auth = {"auth": {"username": name, "password": password}}
        return self.session.post(f"{self.url}/hub/api/users/{name}/tokens", json=auth).status_code

    def sign_up(self, name: str) -> int:
        """Ask for an account, and return the status."""
        passwords = {"signup_password": CHOSEN, "signup_password_confirmation": CHOSEN}
        return self.post("/hub/signup", username=name, **passwords).status_code


class Hub:
    """A hub with two administrators, ada and zoe."""

    def __init__(self, directory: Path, **login: object) -> None:
        self._directory = directory
        self._login = {"type": "native", **login}
        self.appoint("zoe", "ada")

    def appoint(self, *names: str) -> None:
        """Name the administrators, as an edit of the settings does; it takes effect at the next start."""
        shutil.rmtree(self._directory / "secrets", ignore_errors=True)
        passwords = {name: f"first-password-of-{name}" for name in names}
        secrets = {**SECRETS, "administrators": json.dumps(passwords)}
        settings = site(login=self._login, administrators=list(names))
        self._config = configured(self._directory, settings, secrets=secrets)

    @contextmanager
    def running(self) -> Iterator["Hub"]:
        """Run it."""
        with serving(self._config) as self._url:
            yield self

    def browser(self) -> Person:
        """Return a person's browser, logged in as no one."""
        return Person(self._url, self._directory / HUB_CA)

    def lose_the_database(self) -> None:
        """Remove the file, as a broken disk does."""
        (self._directory / "jupyterhub.sqlite").unlink()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Return a hub at which people may sign up."""
    with Hub(tmp_path_factory.mktemp("hub"), enable_signup=True).running() as running:
        yield running


def administrator(hub: Hub) -> Person:
    browser = hub.browser()
    assert browser.log_in("zoe", "first-password-of-zoe")
    return browser


def test_login_page_is_there_and_says_why_it_refuses(hub: Hub) -> None:
    stranger = hub.browser()
    page = stranger.get("/hub/login")
    assert page.status_code == 200
    assert "Ask for an account" in page.text
    assert "Invalid username or password" in stranger.post("/hub/login", username="zoe", password="wrong").text
    with_an_old_form = {"username": "zoe", "password": "first-password-of-zoe", "_xsrf": "old"}
    refused = hub.browser().session.post(
        f"{stranger.url}/hub/login", data=with_an_old_form, verify=stranger.session.verify
    )
    assert refused.status_code == 403
    assert "Login form invalid or expired. Try again." in refused.text


def test_administrators_can_log_in_from_the_start_and_are_sent_to_choose_a_password(hub: Hub) -> None:
    ada = hub.browser()
    assert ada.log_in("ada", FIRST) == "/hub/change-password"
    passwords = {"new_password": CHOSEN, "new_password_confirmation": CHOSEN}
    assert "changed successfully" in ada.post("/hub/change-password", old_password=FIRST, **passwords).text
    again = hub.browser()
    assert again.log_in("ada", FIRST) is None
    assert again.log_in("ada", CHOSEN) != "/hub/change-password"


@pytest.mark.parametrize("name", ["ada", "zoe", "Zoe", "ZOE"])
def test_signing_up_makes_no_administrator(hub: Hub, name: str) -> None:
    stranger = hub.browser()
    stranger.sign_up(name)
    assert stranger.log_in(name, CHOSEN if name != "ada" else "not-that-one") is None


def test_lost_database_opens_nothing(tmp_path: Path) -> None:
    hub = Hub(tmp_path, enable_signup=True)
    with hub.running():
        assert hub.browser().log_in("ada", FIRST)
    hub.lose_the_database()
    with hub.running():
        stranger = hub.browser()
        stranger.sign_up("ada")
        assert stranger.log_in("ada", CHOSEN) is None
        assert hub.browser().log_in("ada", FIRST)


def test_without_sign_up_there_is_no_page_for_it(tmp_path: Path) -> None:
    with Hub(tmp_path).running() as hub:
        assert hub.browser().get("/hub/signup").status_code == 404
        assert hub.browser().sign_up("stranger") == 404
        assert hub.browser().log_in("stranger", CHOSEN) is None
        grace = administrator(hub)
        token = next(each.value for each in grace.session.cookies if each.name == "_xsrf")
        made = grace.session.post(
            f"{grace.url}/hub/api/users/grace?_xsrf={token}", headers={"Referer": f"{grace.url}/hub/admin"}
        )
        assert made.status_code == 201, made.text
        passwords = {"new_password": CHOSEN, "new_password_confirmation": CHOSEN}
        assert "changed successfully" in grace.post("/hub/change-password/grace", **passwords).text
        assert hub.browser().log_in("grace", CHOSEN)


def test_person_who_signed_up_waits_for_an_administrator(hub: Hub) -> None:
    newcomer = hub.browser()
    assert newcomer.sign_up("newcomer") == 200
    assert newcomer.log_in("newcomer", CHOSEN) is None
    zoe = administrator(hub)
    asked = zoe.get("/hub/authorize/newcomer")
    assert "Change whether newcomer may log in?" in asked.text
    assert newcomer.log_in("newcomer", CHOSEN) is None, "a link alone let them in"
    assert zoe.post("/hub/authorize/newcomer").status_code == 302
    assert newcomer.log_in("newcomer", CHOSEN)


def test_link_discards_no_request(hub: Hub) -> None:
    assert hub.browser().sign_up("waiting") == 200
    zoe = administrator(hub)
    assert "Discard the request of waiting?" in zoe.get("/hub/discard/waiting").text
    assert "waiting" in zoe.get("/hub/authorize").text
    assert zoe.post("/hub/discard/waiting").status_code == 302
    assert "waiting" not in zoe.get("/hub/authorize").text


def test_people_without_the_right_change_no_account(hub: Hub) -> None:
    assert hub.browser().post("/hub/authorize/newcomer").status_code in (302, 403)
    assert hub.browser().sign_up("other") == 200
    person = hub.browser()
    zoe = administrator(hub)
    zoe.post("/hub/authorize/other")
    assert person.log_in("other", CHOSEN)
    assert person.post("/hub/authorize/other").status_code == 403


def test_request_for_the_name_of_a_later_administrator_opens_nothing(tmp_path: Path) -> None:
    hub = Hub(tmp_path, enable_signup=True)
    with hub.running():
        assert hub.browser().sign_up("carol") == 200
    hub.appoint("zoe", "ada", "carol")
    with hub.running():
        assert hub.browser().log_in("carol", CHOSEN) is None
        assert hub.browser().log_in("carol", "first-password-of-carol") == "/hub/change-password"


def test_former_administrator_has_no_rights(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        ada = hub.browser()
        assert ada.log_in("ada", FIRST)
        assert ada.get("/hub/admin").status_code == 200
    hub.appoint("zoe")
    with hub.running():
        ada = hub.browser()
        assert ada.log_in("ada", FIRST)
        assert ada.get("/hub/admin").status_code == 403
        assert ada.get("/hub/authorize").status_code == 403
        assert administrator(hub).get("/hub/admin").status_code == 200


def test_generated_password_makes_no_token(hub: Hub) -> None:
    answer = hub.browser().ask_for_a_token("zoe", "first-password-of-zoe")
    assert answer == 403


def test_person_who_was_kept_out_stays_out_after_a_restart(tmp_path: Path) -> None:
    hub = Hub(tmp_path, enable_signup=True)
    with hub.running():
        assert hub.browser().sign_up("mallory") == 200
        administrator(hub).post("/hub/authorize/mallory")
        assert hub.browser().log_in("mallory", CHOSEN)
        administrator(hub).post("/hub/authorize/mallory")
        assert hub.browser().log_in("mallory", CHOSEN) is None
    with hub.running():
        assert hub.browser().log_in("mallory", CHOSEN) is None
