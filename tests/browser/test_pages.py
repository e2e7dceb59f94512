"""Every page of a hub whose people share a password, with sizes and a menu of images, in a browser."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.browser.axe import findings
from tests.browser.cluster import Cluster
from tests.browser.offering import PASSWORD, offering
from tests.browser.visitor import Visitor
from tests.programs.hub.test_menu import NOTHING, site
from tests.programs.hub.test_proxy import proxy_of
from tests.tools import free_port

pytestmark = pytest.mark.programs


@pytest.fixture(scope="module")
def one_visitor(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Visitor]:
    hour_ago = time.time() - 3600
    with offering(site(NOTHING), cluster, tmp_path_factory.mktemp("site"), scanned=hour_ago) as visitor:
        yield visitor


def test_axe_sees_what_cannot_be_read(visitor: Visitor) -> None:
    visitor.page.set_content('<main style="background: #fff"><h1>Hub</h1><p style="color: #ccc">pale</p><input></main>')
    assert {"color-contrast", "label"} <= set(findings(visitor.page))


def test_login(visitor: Visitor, picture: Callable[[Visitor, str], None]) -> None:
    assert visitor.open("/hub/login") == 200
    visitor.sees("heading", "Sign in")
    visitor.reads("Ask an administrator of this site")
    picture(visitor, "login")
    visitor.log_in("ada", "wrong")
    visitor.reads("Invalid username or password")
    visitor.log_in("eve", PASSWORD)
    visitor.sees("button", "Start My Server")
    visitor.looks()


def test_server_is_chosen_by_keyboard_and_the_wait_is_told_in_plain_words(
    visitor: Visitor, cluster: Cluster, picture: Callable[[Visitor, str], None]
) -> None:
    page = visitor.page
    visitor.log_in("grace", PASSWORD, "/hub/spawn")
    visitor.sees("heading", "Server Options")
    visitor.reads("the registry has not answered since")
    picture(visitor, "spawn")
    size, image = visitor.sees("group", "Size"), visitor.sees("group", "Image")
    expect(size.get_by_role("radio", name="small")).to_be_checked()
    expect(size.get_by_role("radio", name="small")).to_have_accessible_description(re.compile("Up to 1 core"))
    visitor.tab_to(size.get_by_role("radio", name="small"))
    page.keyboard.press("ArrowDown")
    expect(size.get_by_role("radio", name="medium")).to_be_checked()
    page.keyboard.press("Tab")
    expect(image.get_by_role("radio", name="recommended")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(image.get_by_role("radio").nth(2)).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Start")).to_be_focused()
    with page.expect_navigation(url="**/hub/spawn-pending/grace*"):
        page.keyboard.press("Enter")
    visitor.sees("heading", "Your server is starting")
    visitor.reads("You may close it and come back")
    expect(page.get_by_role("status")).to_contain_text("The machine fetches the image of your server")
    progress = page.get_by_role("progressbar", name="Start of your server")
    expect(progress).to_have_attribute("aria-valuenow", "63")
    page.get_by_text("Event log", exact=True).click()
    visitor.sees("group", "").get_by_text("No machine has room for your server at the moment")
    visitor.looks()
    picture(visitor, "progress")
    assert "w202648@" in cluster.container("jupyter-grace")["image"]


def test_start_that_fails_says_why_and_what_to_do(visitor: Visitor) -> None:
    page = visitor.page
    visitor.log_in("full", PASSWORD, "/hub/spawn")
    with page.expect_navigation():
        page.get_by_role("button", name="Start").press("Enter")
    visitor.reads("Your home directory could not be made", "Your files are safe", "try again in a minute")


def test_server_that_does_not_run_can_be_started(visitor: Visitor, picture: Callable[[Visitor, str], None]) -> None:
    visitor.log_in("eve", PASSWORD)
    assert visitor.open("/hub/user/eve/lab") == 424
    visitor.sees("heading", "Server not running")
    visitor.reads("when its machine is being serviced", "Your files are safe")
    visitor.sees("button", "Launch Server")
    visitor.looks()
    picture(visitor, "not-running")


ERRORS: Final = (
    ("/hub/admin", 403, "You may not do this", "ask an administrator"),
    ("/hub/nothing", 404, "There is nothing at this address", "Check the address for a typing mistake"),
    ("/hub/error/503", 200, "Your server does not answer", "Start it again from your own page"),
    ("/hub/error/500", 200, "Something went wrong at the hub", "Try again in a minute"),
    ("/hub/error/429", 200, "Too many people ask", "Wait a minute and try again"),
    ("/hub/error/400", 200, "The hub did not understand this request", "Log in again"),
)


PICTURES: Final = {"/hub/error/503": "error", "/hub/admin": "error-403", "/hub/nothing": "error-404"}


@pytest.mark.parametrize("logged_in", [True, False], ids=["logged in", "not logged in"])
def test_error_pages_say_what_to_do(visitor: Visitor, logged_in: bool, picture: Callable[[Visitor, str], None]) -> None:
    if logged_in:
        visitor.log_in("eve", PASSWORD)
    for path, status, heading, advice in ERRORS if logged_in else ERRORS[1:]:
        assert visitor.open(path) == status, path
        visitor.sees("heading", heading)
        visitor.reads(advice)
        if logged_in and (name := PICTURES.get(path)):
            picture(visitor, name)


def test_page_while_the_hub_is_away(visitor: Visitor, picture: Callable[[Visitor, str], None]) -> None:
    with proxy_of(f"http://127.0.0.1:{free_port()}") as address:
        visitor.page.goto(f"{address}/hub/home")
        visitor.sees("heading", "Back in a moment")
        visitor.reads("What you have saved is safe", "try again")
        picture(visitor, "hub-away")
        visitor.tab_to(visitor.sees("link", "try again"))


def test_token(visitor: Visitor) -> None:
    page = visitor.page
    visitor.log_in("eve", PASSWORD, "/hub/token")
    visitor.looks()
    page.get_by_label("Note").fill("of a script")
    visitor.tab_to(page.get_by_role("button", name="Request new API token"))
    page.keyboard.press("Enter")
    visitor.reads("Copy this token")
    visitor.open("/hub/token")
    expect(page.get_by_role("cell", name="of a script")).to_be_visible()
    visitor.looks()


def test_logout(visitor: Visitor) -> None:
    visitor.log_in("eve", PASSWORD)
    with visitor.page.expect_navigation():
        visitor.sees("button", "Logout").press("Enter")
    visitor.sees("heading", "Sign in")
    visitor.open("/hub/home")
    assert "/hub/login" in visitor.page.url
