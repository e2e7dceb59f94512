"""Every page of a hub that keeps its people's accounts, with pages of the site's own, in a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.browser.visitor import Visitor, visiting
from tests.programs.hub.asking import NO_PROVISIONER, SECRETS, configured
from tests.programs.hub.running import HUB_CA, serving
from tests.stacks.test_fragments import parsed, written

pytestmark = pytest.mark.programs

FIRST: Final = "first-password-of-ada"
CHOSEN: Final = "a-password-that-was-chosen"
OF_THE_SITE: Final[dict[str, str | bytes]] = {
    "pages/about.html": '{% extends "page.html" %}{% block main %}<main class="container"><h1>About us</h1>'
    "<p>We count birds.</p></main>{% endblock %}",
    "pages/faq.html": '{% extends "page.html" %}{% block main %}{{ undefined.thing }}{% endblock %}',
}


@pytest.fixture(scope="module")
def one_visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    directory, stack = tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("stack")
    written(stack, OF_THE_SITE, "pages")
    login = {"type": "native", "enable_signup": True}
    announced = {"announcement": "The hub is closed on Friday from 9 to 10."}
    of = parsed(stack, login=login, administrators=["ada", "zoe"], pages="pages", templateVars=announced)
    config: Path = configured(directory, of, NO_PROVISIONER, SECRETS)
    with (
        serving(config, host=of.hub.host) as url,
        visiting(url, of.hub.host, (directory / HUB_CA).read_text()) as visitor,
    ):
        yield visitor


def test_account_from_asking_for_it_to_being_let_in(visitor: Visitor, picture: Callable[[Visitor, str], None]) -> None:
    page = visitor.page
    visitor.open("/hub/login")
    visitor.reads("The hub is closed on Friday", "Ask an administrator of this site")
    with page.expect_navigation():
        visitor.sees("link", "Ask for an account").press("Enter")
    visitor.looks()
    page.get_by_label("Username").fill("bo")
    page.get_by_label("Password:", exact=True).fill("short")
    page.get_by_label("Confirm password").fill("short")
    with page.expect_navigation():
        page.get_by_label("Confirm password").press("Enter")
    visitor.reads("at least 10 characters")
    picture(visitor, "sign-up")
    page.get_by_label("Username").fill("bo")
    page.get_by_label("Password:", exact=True).fill(CHOSEN)
    page.get_by_label("Confirm password").fill(CHOSEN)
    with page.expect_navigation():
        page.get_by_label("Confirm password").press("Enter")
    visitor.reads("Your information has been sent to the admin")
    visitor.log_in("bo", CHOSEN)
    visitor.reads("User bo has not been authorized by an administrator yet")
    visitor.sees("alert", "")

    visitor.forget()
    visitor.log_in("ada", FIRST)
    visitor.sees("heading", "Change password for ada")
    visitor.looks()
    page.get_by_label("Old password").fill(FIRST)
    page.get_by_label("New password", exact=False).first.fill(CHOSEN)
    page.get_by_label("Confirm new password").fill(CHOSEN)
    with page.expect_navigation():
        page.get_by_label("Confirm new password").press("Enter")
    visitor.reads("changed successfully")
    with page.expect_navigation():
        visitor.sees("link", "Authorize people").press("Enter")
    visitor.looks()
    picture(visitor, "authorize")
    with page.expect_navigation():
        page.locator("#bo").get_by_role("button", name="Authorize").press("Enter")
    visitor.sees("heading", "Change whether bo may log in")
    visitor.looks()
    with page.expect_navigation():
        visitor.sees("button", "Yes").press("Enter")
    visitor.looks()
    visitor.open("/hub/change-password/bo")
    visitor.sees("heading", "Change password for bo")
    visitor.looks()
    visitor.open("/hub/admin")
    visitor.sees("button", "Details of ada")
    visitor.looks()

    visitor.forget()
    visitor.log_in("bo", CHOSEN)
    visitor.sees("button", "Start My Server")
    visitor.looks()


def test_pages_of_the_site_are_found_and_one_that_fails_says_so(visitor: Visitor) -> None:
    visitor.open("/hub/login")
    with visitor.page.expect_navigation():
        visitor.sees("link", "About").press("Enter")
    visitor.sees("heading", "About us")
    visitor.reads("We count birds", "The hub is closed on Friday")
    assert visitor.open("/hub/faq") == 500
    visitor.sees("heading", "Something went wrong at the hub")
    visitor.reads("Try again in a minute", "quote this page and the time")
