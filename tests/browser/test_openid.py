"""What people read who log in with a provider of OpenID Connect, with Google, or with CILogon."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.browser.visitor import Visitor, visiting
from tests.programs.hub.provided import Hub
from tests.programs.hub.provider import CILOGON_PATHS, GOOGLE_PATHS, OpenId, running
from tests.programs.hub.test_openid import CILOGON, GOOGLE, UNIVERSITY, people, with_oidc

pytestmark = pytest.mark.programs


@contextmanager
def openid(directory: Path) -> Iterator[Hub]:
    with running(OpenId(people=people()), directory) as provider:
        yield with_oidc(directory, provider, login_service="Example University")


@contextmanager
def google(directory: Path) -> Iterator[Hub]:
    with running(OpenId(people=GOOGLE, **GOOGLE_PATHS), directory) as provider:
        made = Hub(directory, provider, type="google", hosted_domain=["example.edu"], allow_all=True)
        made.also(f'login.authorize_url = "{provider.url}/authorize"', f'login.google_api_url = "{provider.url}"')
        yield made


@contextmanager
def cilogon(directory: Path) -> Iterator[Hub]:
    idps = {UNIVERSITY: {"username_derivation": {"action": "strip_idp_domain", "domain": "example.edu"}}}
    with running(OpenId(people=CILOGON, **CILOGON_PATHS), directory) as provider:
        made = Hub(directory, provider, type="cilogon", idps=idps, allowed_users=["ada"])
        made.also(f'login.cilogon_host = "{provider.url.removeprefix("https://")}"')
        yield made


PROVIDERS: Final[Mapping[str, tuple[Callable[[Path], AbstractContextManager[Hub]], str]]] = {
    "Example University": (openid, "eve"),
    "Google": (google, "elsewhere"),
    "CILogon": (cilogon, "guest"),
}
"""By what the button says: the hub, and a person who is not let in."""
PICTURES: Final = {"Google": "login-google", "CILogon": "login-cilogon"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_person_comes_in_and_another_reads_where_to_ask(
    tmp_path: Path, name: str, picture: Callable[[Visitor, str], None]
) -> None:
    of, stranger = PROVIDERS[name]
    with (
        of(tmp_path) as made,
        made.running() as hub,
        visiting(hub.url, hub.host, *hub.authorities()) as visitor,
    ):
        for person in ("ada", stranger):
            visitor.forget()
            hub.provider.visitor = person
            visitor.open("/hub/login?next=/hub/home")
            button = visitor.sees("button", f"Sign in with {name}")
            visitor.looks()
            if name in PICTURES:
                picture(visitor, PICTURES[name])
            visitor.tab_to(button)
            with visitor.page.expect_navigation(url="**/hub/{home,oauth_callback}*"):
                visitor.page.keyboard.press("Enter")
            if person == "ada":
                visitor.sees("button", "Start My Server")
            else:
                visitor.sees("heading", "You are not let in")
                visitor.reads("Ask an administrator of this site")
