"""What people read who log in with GitHub: members, others, and those who come while GitHub is away."""

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor, visiting
from tests.programs.hub.provided import SOON, Hub
from tests.programs.hub.provider import GitHub, running
from tests.programs.hub.test_github import LOGIN, github
from tests.tools import eventually

pytestmark = pytest.mark.programs

CONTACT: Final = "help@example.org"


@pytest.fixture(scope="module")
def one_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    directory = tmp_path_factory.mktemp("hub")
    with running(github(), directory) as provider:
        made = Hub(directory, provider, contact=CONTACT, url=provider.url, **LOGIN)
        # Nothing here is about a GitHub that is slow: on a busy computer, two seconds are none.
        made.also('login.http_request_kwargs = {**login.http_request_kwargs, "request_timeout": 60}')
        with made.running() as hub:
            yield hub


@pytest.fixture
def hub(one_hub: Hub) -> Hub:
    """Return the hub of the members of Flock, without those of foxes, whose GitHub is right again."""
    one_hub.provider.reset()
    of(one_hub).members = github().members
    eventually("answers again", lambda: one_hub.log_in("Stray")[1] == 403, seconds=SOON)
    return one_hub


@pytest.fixture(scope="module")
def one_visitor(one_hub: Hub) -> Iterator[Visitor]:
    with visiting(one_hub.url, one_hub.host, *one_hub.authorities()) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def person_at_work(one_hub: Hub) -> str:
    """Return the name of a person whose server runs."""
    one_hub.with_server("off")
    return "off"


def of(hub: Hub) -> GitHub:
    assert isinstance(hub.provider, GitHub)
    return hub.provider


def comes(visitor: Visitor, hub: Hub, person: str) -> None:
    """Press the button of the login page, as a person with an account at GitHub."""
    hub.provider.visitor = person
    visitor.open("/hub/login?next=/hub/home")
    button = visitor.sees("button", "Sign in with GitHub")
    visitor.tab_to(button)
    with visitor.page.expect_navigation(url="**/hub/{home,oauth_callback}*"):
        visitor.page.keyboard.press("Enter")


def test_login_page_says_where_it_leads(visitor: Visitor, picture: Callable[[Visitor, str], None]) -> None:
    assert visitor.open("/hub/login") == 200
    picture(visitor, "login-provider")
    visitor.sees("heading", "Sign in")
    visitor.sees("button", "Sign in with GitHub")
    visitor.reads("Ask an administrator of this site")


def test_member_comes_in_starts_a_server_and_stops_it(visitor: Visitor, hub: Hub) -> None:
    comes(visitor, hub, "kim")
    visitor.sees("button", "Start My Server")
    visitor.looks()
    browser, _ = hub.log_in("kim")
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="Start My Server").press("Enter")
    eventually("the server of kim", lambda: hub.runs(browser, "kim"), seconds=SOON)
    visitor.open("/hub/home")
    stop = visitor.sees("button", "Stop My Server")
    visitor.looks()
    visitor.tab_to(stop)
    visitor.page.keyboard.press("Enter")
    visitor.sees("button", "Start My Server")
    expect(stop).to_be_hidden()
    assert not hub.runs(browser, "kim")


@pytest.mark.parametrize("person", ["Stray", "fox"], ids=["not a member", "denied"])
def test_who_is_not_let_in_reads_where_to_ask(
    visitor: Visitor, hub: Hub, person: str, picture: Callable[[Visitor, str], None]
) -> None:
    comes(visitor, hub, person)
    visitor.sees("heading", "You are not let in")
    visitor.reads("Ask an administrator of this site", "tell them the name of your account")
    visitor.sees("link", "log in with another account")
    expect(visitor.sees("link", "Contact an administrator")).to_have_attribute("href", f"mailto:{CONTACT}")
    picture(visitor, "not-let-in")


@pytest.mark.parametrize("status", [429, 503])
def test_who_comes_while_github_is_away_reads_to_come_back(
    visitor: Visitor, hub: Hub, status: int, picture: Callable[[Visitor, str], None]
) -> None:
    hub.provider.answers_with = status
    comes(visitor, hub, "pat")
    visitor.sees("heading", "You cannot log in at the moment")
    picture(visitor, "provider-away")
    visitor.reads(
        "The service that knows who you are does not answer",
        "Please try again in a few minutes",
        "Servers that run are not stopped",
    )
    expect(visitor.page.locator("body")).not_to_contain_text("it was not used")
    hub.provider.reset()

    def lets_in() -> bool:
        visitor.forget()
        comes(visitor, hub, "pat")
        return "/hub/home" in visitor.page.url

    eventually("the login", lets_in, seconds=SOON)


def test_login_that_began_elsewhere_is_begun_again(visitor: Visitor) -> None:
    assert visitor.open("/hub/oauth_callback?code=x&state=y") == 400
    visitor.sees("heading", "The login did not come to its end")
    visitor.reads("Log in again")


@pytest.mark.parametrize("status", [429, 503])
def test_who_is_logged_in_works_on_while_github_is_away(
    visitor: Visitor, hub: Hub, person_at_work: str, status: int
) -> None:
    comes(visitor, hub, person_at_work)
    hub.provider.answers_with = status
    hub.asks_again()
    assert visitor.open("/hub/home") == 200
    visitor.sees("button", "Stop My Server")
    assert visitor.open("/hub/token") == 200


def test_who_is_removed_is_asked_to_log_in_and_reads_why_not(visitor: Visitor, hub: Hub) -> None:
    hub.with_server("grace")
    comes(visitor, hub, "grace")
    visitor.sees("button", "Stop My Server")
    of(hub).members["Flock"].discard("grace")
    eventually("the end of that server", lambda: hub.says("stopping the server", "grace"), seconds=SOON)
    visitor.open("/hub/home")
    assert visitor.page.url.startswith(f"{hub.public}/hub/login")
    comes(visitor, hub, "grace")
    visitor.sees("heading", "You are not let in")


def test_administrator_sees_people_and_others_read_that_they_do_not(
    visitor: Visitor, hub: Hub, picture: Callable[[Visitor, str], None]
) -> None:
    comes(visitor, hub, "ada")
    assert visitor.open("/hub/admin") == 200
    visitor.sees("button", "Details of ada")
    visitor.looks()
    picture(visitor, "admin")
    assert visitor.open("/hub/admin/status") == 200
    visitor.sees("heading", "Status")
    visitor.looks()
    visitor.forget()
    comes(visitor, hub, "lee")
    assert visitor.open("/hub/admin") == 403
    visitor.sees("heading", "You may not do this")
    visitor.reads("You are logged in as lee", "ask an administrator")


def test_logout(visitor: Visitor, hub: Hub) -> None:
    comes(visitor, hub, "lee")
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="Logout").press("Enter")
    visitor.sees("button", "Sign in with GitHub")
    visitor.open("/hub/home")
    assert visitor.page.url.startswith(f"{hub.public}/hub/login")
