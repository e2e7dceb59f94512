"""Who is out of a hub with accounts at once: those who are kept out, deleted, or given another password."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.programs.hub.accounts import CHOSEN, Hub, Person, administrator
from tests.programs.hub.provided import SOON
from tests.tools import eventually

pytestmark = pytest.mark.programs

ANOTHER: Final = "another-password-that-was-set"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub"), enable_signup=True).running() as running:
        yield running


def keep_out(zoe: Person, name: str) -> None:
    assert zoe.post(f"/hub/authorize/{name}").status_code == 302


def set_password(zoe: Person, name: str) -> None:
    zoe.set_password(name, ANOTHER)


def delete(zoe: Person, name: str) -> None:
    answer = zoe.api("DELETE", f"users/{name}")
    assert answer.status_code == 204, answer.text


def discard(zoe: Person, name: str) -> None:
    keep_out(zoe, name)
    assert zoe.post(f"/hub/discard/{name}").status_code == 302


SENT_AWAY: Final = pytest.mark.parametrize("send_away", [keep_out, set_password, delete, discard])


@SENT_AWAY
def test_person_is_out_at_once_with_tokens_and_servers(hub: Hub, send_away: Callable[..., Any]) -> None:
    name = f"out-{send_away.__name__.replace('_', '-')}"
    browser = hub.person(name)
    token = browser.token(name)
    hub.start_server(browser, name)
    assert browser.is_in()
    assert hub.takes(token)
    send_away(administrator(hub), name)
    assert not browser.is_in()
    assert not hub.takes(token)
    assert not hub.servers(name)
    assert browser.post("/hub/spawn").status_code in (302, 403)
    assert not hub.servers(name)
    assert browser.log_in(name, CHOSEN) is None
    assert bool(browser.log_in(name, ANOTHER)) == (send_away is set_password)


@pytest.mark.parametrize("send_away", [keep_out, set_password])
def test_server_that_is_starting_is_stopped_when_it_has_started(hub: Hub, send_away: Callable[..., Any]) -> None:
    name = f"starts-{send_away.__name__.replace('_', '-')}"
    browser = hub.person(name)
    hub.hold_starts(True)
    try:
        assert browser.post("/hub/spawn").status_code == 302
        assert hub.servers(name)[""]["pending"] == "spawn"
        send_away(administrator(hub), name)
        assert not browser.is_in()
    finally:
        hub.hold_starts(False)
    eventually("the end of the server", lambda: not hub.servers(name), seconds=SOON)
    assert f"stopping the server '' of {name}" in (hub.directory / "log").read_text()


def test_person_who_is_deleted_while_their_server_starts_is_out_and_deleted_later(hub: Hub) -> None:
    browser = hub.person("starter")
    token = browser.token("starter")
    zoe = administrator(hub)
    hub.hold_starts(True)
    try:
        assert browser.post("/hub/spawn").status_code == 302
        refused = zoe.api("DELETE", "users/starter")
        assert refused.status_code == 400
        assert "please try again in a minute" in refused.text
    finally:
        hub.hold_starts(False)
    assert not browser.is_in()
    assert not hub.takes(token)
    assert browser.log_in("starter", CHOSEN) is None
    eventually("the end of the server", lambda: not hub.servers("starter"), seconds=SOON)
    delete(zoe, "starter")


def test_named_servers_end_with_their_person(hub: Hub) -> None:
    browser = hub.person("namer")
    assert browser.api("POST", "users/namer/servers/second").status_code in (201, 202)
    ready = lambda: hub.servers("namer").get("second", {}).get("ready")  # noqa: E731
    eventually("the second server", ready, seconds=SOON)
    delete(administrator(hub), "namer")
    assert administrator(hub).api("GET", "users/namer").status_code == 404


def test_administrator_cannot_start_a_server_of_who_is_kept_out(hub: Hub) -> None:
    hub.person("helped")
    zoe = administrator(hub)
    keep_out(zoe, "helped")
    assert zoe.api("POST", "users/helped/server").status_code == 403
    assert not hub.servers("helped")


def test_person_without_the_right_sends_no_one_away(hub: Hub) -> None:
    browser, other = hub.person("plain"), hub.person("prey")
    assert browser.api("DELETE", "users/prey").status_code == 403
    assert browser.post("/hub/authorize/prey").status_code == 403
    passwords = {"new_password": ANOTHER, "new_password_confirmation": ANOTHER}
    refused = browser.post("/hub/change-password/prey", **passwords)
    assert refused.status_code == 403
    assert "403 :" in refused.text, "the page of an error"
    assert other.is_in()


def test_failed_change_of_a_password_sends_no_one_away(hub: Hub) -> None:
    browser = hub.person("steady")
    zoe = administrator(hub)
    too_short = {"new_password": "short", "new_password_confirmation": "short"}
    assert "Something went wrong" in zoe.post("/hub/change-password/steady", **too_short).text
    assert browser.is_in()


def test_own_change_keeps_this_session_and_the_server_and_ends_the_rest(hub: Hub) -> None:
    here = hub.person("changer")
    elsewhere = hub.browser()
    assert elsewhere.log_in("changer", CHOSEN)
    token = elsewhere.token("changer")
    hub.start_server(here, "changer")
    of_the_server = hub.servers_token("changer")
    here.change_password(CHOSEN, ANOTHER)
    assert here.is_in()
    assert not elsewhere.is_in()
    assert not hub.takes(token)
    assert hub.takes(of_the_server)
    assert hub.runs("changer")
    here.change_password(ANOTHER, CHOSEN)
    assert here.is_in()


def test_administrator_who_sets_their_own_password_on_the_page_for_others_stays(hub: Hub) -> None:
    zoe = administrator(hub)
    zoe.set_password("zoe", "first-password-of-zoe")
    assert zoe.is_in()


def test_who_was_kept_out_is_let_in_again(hub: Hub) -> None:
    hub.person("returning")
    zoe = administrator(hub)
    keep_out(zoe, "returning")
    assert zoe.post("/hub/authorize/returning").status_code == 302
    browser = hub.browser()
    assert browser.log_in("returning", CHOSEN)
    assert browser.is_in()


def test_session_of_a_deleted_person_is_not_that_of_the_next_by_the_name(tmp_path: Path) -> None:
    with Hub(tmp_path).running() as hub:
        first = hub.person("nomad")
        delete(administrator(hub), "nomad")
        second = hub.person("nomad", ANOTHER)
        assert not first.is_in()
        assert second.is_in()
