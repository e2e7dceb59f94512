"""Who becomes an administrator of a hub with accounts: its own pages, asked as a browser asks them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.hub.accounts import CHOSEN, FIRST, Hub, administrator

pytestmark = pytest.mark.programs


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Return a hub at which people may sign up."""
    with Hub(tmp_path_factory.mktemp("hub"), enable_signup=True).running() as running:
        yield running


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
        ada.change_password(FIRST, CHOSEN)
        assert ada.get("/hub/admin").status_code == 200
    hub.appoint("zoe")
    with hub.running():
        ada = hub.browser()
        assert ada.log_in("ada", CHOSEN)
        assert ada.get("/hub/admin").status_code == 403
        assert ada.get("/hub/authorize").status_code == 403
        assert administrator(hub).get("/hub/admin").status_code == 200


def test_generated_password_opens_only_while_it_is_the_one_in_the_output(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        ada = hub.browser()
        assert ada.log_in("ada", FIRST) == "/hub/change-password"
        token = ada.token("ada")
    hub.appoint("zoe")
    with hub.running():
        assert hub.browser().log_in("ada", FIRST) is None, "no administrator, and a password from old outputs"
        assert not hub.takes(token)
        left = hub.browser()
        left.session.cookies.update(ada.session.cookies)
        assert not left.is_in()
    hub.appoint("zoe", "ada", ada="made-again-for-ada")
    with hub.running():
        assert hub.browser().log_in("ada", FIRST) is None, "the old one"
        assert hub.browser().log_in("ada", "made-again-for-ada") == "/hub/change-password"
        assert hub.browser().ask_for_a_token("ada", "made-again-for-ada") == 403


def test_password_that_is_generated_again_replaces_the_one_before(tmp_path: Path) -> None:
    """As from `native` to a provider and back, on one database."""
    hub = Hub(tmp_path)
    with hub.running():
        assert hub.browser().log_in("ada", FIRST)
    hub.appoint("zoe", "ada", ada="made-again-for-ada")
    for _ in range(2):
        with hub.running():
            assert hub.browser().log_in("ada", FIRST) is None
            assert hub.browser().log_in("ada", "made-again-for-ada") == "/hub/change-password"


def test_chosen_password_outlasts_an_absence(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        ada = hub.browser()
        assert ada.log_in("ada", FIRST)
        ada.change_password(FIRST, CHOSEN)
    for names in (["zoe"], ["zoe", "ada"]):
        hub.appoint(*names, ada="made-again-for-ada")
        with hub.running():
            assert hub.browser().log_in("ada", "made-again-for-ada") is None
            assert hub.browser().log_in("ada", CHOSEN)


def test_site_from_before_generated_passwords_were_noted(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        assert hub.browser().log_in("ada", FIRST)
    hub.forget()
    with hub.running():
        assert hub.browser().log_in("ada", FIRST) == "/hub/change-password"
    hub.appoint("zoe")
    with hub.running():
        assert hub.browser().log_in("ada", FIRST) is None


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


def test_password_is_not_compared_after_too_many_wrong_ones(hub: Hub) -> None:
    """The page says of a person who waits to be let in that the password is right: that would tell it to a guesser."""
    guesser = hub.browser()
    assert guesser.sign_up("patient") == 200
    right = {"username": "patient", "password": CHOSEN}
    assert "has not been authorized" in guesser.post("/hub/login", **right).text
    for _ in range(4):
        guesser.post("/hub/login", username="patient", password="wrong")
    refused = guesser.post("/hub/login", **right)
    assert "Invalid username or password" in refused.text
    assert "has not been authorized" not in refused.text


def test_password_that_is_too_long_is_refused(hub: Hub) -> None:
    stranger, long, told = hub.browser(), "\u00e9" * 37, "at most 72 bytes"
    passwords = {"signup_password": long, "signup_password_confirmation": long}
    asked = stranger.post("/hub/signup", username="talkative", **passwords)
    assert (asked.status_code, told in asked.text) == (200, True)
    assert stranger.post("/hub/login", username="zoe", password=long).status_code == 200
    assert stranger.ask_for_a_token("zoe", long) == 403
    zoe = administrator(hub)
    passwords = {"new_password": long, "new_password_confirmation": long}
    assert told in zoe.post("/hub/change-password/zoe", **passwords).text
    assert told in zoe.post("/hub/change-password", old_password=CHOSEN, **passwords).text
    assert administrator(hub).is_in()


def test_wrong_password_that_is_too_long_changes_nothing(hub: Hub) -> None:
    person, long = hub.browser(), "x" * 73
    assert person.sign_up("lengthy") == 200
    administrator(hub).post("/hub/authorize/lengthy")
    assert person.log_in("lengthy", CHOSEN)
    passwords = {"new_password": "another-one", "new_password_confirmation": "another-one"}
    refused = person.post("/hub/change-password", old_password=long, **passwords)
    assert (refused.status_code, "password was incorrect" in refused.text) == (200, True)
    assert hub.browser().log_in("lengthy", CHOSEN)


@pytest.mark.parametrize("fields", [{}, {"username": "ada"}, {"password": "x"}, {"2fa": "\u20ac"}], ids=str)
def test_login_without_a_name_or_a_password_is_refused(hub: Hub, fields: dict[str, str]) -> None:
    refused = hub.browser().post("/hub/login", **fields)
    assert (refused.status_code, "Invalid username or password" in refused.text) == (200, True)
    refused = hub.browser().post("/hub/login?username=ada&password=x", **fields)
    assert (refused.status_code, "Invalid username or password" in refused.text) == (200, True)


def test_sign_up_has_only_what_its_page_asks_for(hub: Hub) -> None:
    """Whoever asks for a second factor with a request of their own would never be shown its secret."""
    person = hub.browser()
    passwords = {"signup_password": CHOSEN, "signup_password_confirmation": CHOSEN}
    more = {"2fa": "1", "email": "a" * 130 + "@example.edu"}
    assert person.post("/hub/signup", username="eager", **passwords, **more).status_code == 200
    administrator(hub).post("/hub/authorize/eager")
    assert person.log_in("eager", CHOSEN)


def test_password_of_a_person_without_an_account_is_not_set(hub: Hub) -> None:
    passwords = {"new_password": CHOSEN, "new_password_confirmation": CHOSEN}
    assert administrator(hub).post("/hub/change-password/unheard-of", **passwords).status_code == 404


def test_account_that_is_discarded_in_capitals_is_forgotten_whole(hub: Hub) -> None:
    """With the person, whose name is noted: whoever has it next does not get the home."""
    person, zoe = hub.browser(), administrator(hub)
    assert person.sign_up("gone") == 200
    zoe.post("/hub/authorize/gone")
    assert person.log_in("gone", CHOSEN)
    zoe.post("/hub/authorize/gone")
    assert zoe.post("/hub/discard/GONE").status_code == 302
    assert zoe.api("GET", "users/gone").status_code == 404
    assert "gone" in json.loads((hub.directory / "names.json").read_text())
