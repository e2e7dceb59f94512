"""The hub's pages as people see them: JupyterHub renders them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from programs.hub.site_pages import BLOCKS, OURS, TAKEN, UPSTREAM, UPSTREAM_OF_NATIVE
from stacks.settings.pages import OF_JUPYTERHUB
from tests.certificates import LOOPBACK, Authority
from tests.programs.hub.asking import NO_PROVISIONER, SECRETS, ask, configured, site
from tests.programs.hub.running import HUB_CA, Browser, serving
from tests.stacks.logins import GITHUB
from tests.stacks.test_fragments import parsed, written
from tests.stacks.test_pages import PNG
from tests.tools import eventually

pytestmark = pytest.mark.programs

PAGES: Final[dict[str, str | bytes]] = {
    "logo.png": PNG,
    "templates/login.html": '{% extends "henhouse/login.html" %}{% block login_widget %}Ours{% endblock %}',
    "pages/about.html": '{% extends "page.html" %}{% block main %}<h1>About {{ course }}</h1>{% endblock %}',
    "pages/faq.html": '{% extends "page.html" %}{% block main %}{{ undefined.thing }}{% endblock %}',
    "static/css/site.css": "p { color: red }",
}
SETTINGS: Final[dict[str, Any]] = {
    "contact": "help@example.org",
    "pages": "pages",
    "templateVars": {"announcement": "<b>Closed</b> on Friday", "course": "<Astronomy>"},
}


@contextmanager
def silent() -> Iterator[str]:
    """Yield the address of a file server that takes connections and says nothing."""
    with socket.create_server((str(LOOPBACK), 0)) as listening:
        yield f"https://{LOOPBACK}:{listening.getsockname()[1]}"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Return the address of a hub without pages of the site's own; starting a server takes it a while.

    A fragment has replaced all variables of templates, as is written in many a site's configuration.
    """
    directory, stack = tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("stack")
    written(stack, {"20-vars.py": "from henhouse_hub import c\n\nc.JupyterHub.template_vars = {}\n"})
    secrets = {**SECRETS, "homes-ca.crt": Authority().pem, "homes-client.crt": "", "homes-client.key": ""}
    authority = Authority()
    secrets["homes-client.crt"], secrets["homes-client.key"] = authority.issue("hub", client=True)
    with silent() as provisioner:
        config = configured(directory, parsed(stack, fragments="site/fragments", prePuller={}), provisioner, secrets)
        with serving(config) as url:
            yield url, directory / HUB_CA


def logged_in(url: str, authority: Path, name: str = "grace") -> Browser:
    browser = Browser(url, authority)
    answer = browser.post("/hub/login", username=name, password=SECRETS["shared-password"])
    assert answer.status_code == 302, answer.text
    return browser


def text_of(answer: requests.Response) -> str:
    return " ".join(answer.text.split())


def test_error_pages_say_what_to_do(plain: tuple[str, Path]) -> None:
    grace, stranger = logged_in(*plain), Browser(*plain)
    for browser, path, status, says in (
        (grace, "/hub/admin", 403, "You are logged in as grace, and this needs a right that grace does not have"),
        (grace, "/hub/nothing", 404, "There is nothing at this address"),
        (stranger, "/hub/nothing", 404, "Check the address"),
        (stranger, "/hub/error/403", 200, "You are not logged in, or your account is not let in here"),
        (stranger, "/hub/error/404", 200, "There is nothing at this address"),
        (grace, "/hub/error/503", 200, "Start it again from your own page"),
        (stranger, "/hub/error/503", 200, "Your files are safe"),
        (grace, "/hub/error/500", 200, "Something went wrong at the hub"),
        (grace, "/hub/error/418", 200, "418"),
    ):
        answer = browser.get(path)
        assert answer.status_code == status, path
        assert says in text_of(answer), path
        assert "<h1>" in answer.text


def test_login_page_says_where_to_ask(plain: tuple[str, Path]) -> None:
    page = text_of(Browser(*plain).get("/hub/login"))
    assert "Ask an administrator of this site" in page
    assert "Contact an administrator" not in page, "where the site gives no address"
    assert "Username" in page


def test_person_who_waits_is_told_what_is_awaited(plain: tuple[str, Path]) -> None:
    grace = logged_in(*plain, "waiting")

    def waits() -> bool:
        grace.post("/hub/spawn")
        return "Your server is starting" in grace.get("/hub/spawn-pending/waiting").text

    eventually("the page of a start", waits, seconds=60)


def test_upstreams_names_are_those_of_the_pinned_jupyterhub(tmp_path: Path) -> None:
    said = ask(tmp_path, "templates", of=site(login="native"))
    assert said["jupyterhub"] == UPSTREAM
    assert {**said["native"], "page.html": None} == {**UPSTREAM_OF_NATIVE, "page.html": None}
    assert set(said["blocks"]) == BLOCKS
    assert set(said["variables"]) <= set(OF_JUPYTERHUB)
    first = {path.strip("/$").split("/")[0] for path in said["paths"]}
    assert {each for each in first if each.replace("-", "").isalpha()} <= set(TAKEN)


def test_page_of_the_sites_hides_none_of_ours(tmp_path: Path) -> None:
    """Every site has to leave room for what it may switch on later."""
    everything = site(
        login={**GITHUB, "git_credentials": True, "scope": ["read:org", "repo"]},
        image_menu={"repository": "quay.io/a/b"},
        prePuller={},
    )
    said = ask(tmp_path, "templates", of=everything, secrets={**SECRETS, "client-secret": "x"})
    first = {path.strip("/").split("/")[0] for path in said["own"]}
    assert {"images", "admin", "api"} <= first <= {*TAKEN, *OURS}


def test_site_has_its_own_pages_and_people_stay_logged_in(tmp_path: Path) -> None:
    directory, stack = tmp_path / "hub", tmp_path / "stack"
    directory.mkdir()
    with serving(configured(directory, site(login="dummy"))) as url:
        ada = logged_in(url, directory / HUB_CA)
        cookies = ada.session.cookies
        assert ada.get("/hub/home").status_code == 200
    written(stack, PAGES, "pages")
    (directory / "secrets").rename(directory / "old")
    of = parsed(stack, **SETTINGS)
    with serving(configured(directory, of, NO_PROVISIONER)) as url:
        again = Browser(url, directory / HUB_CA)
        again.session.cookies.update(cookies)
        home = again.get("/hub/home")
        assert home.status_code == 200, "the login holds"
        stranger = Browser(url, directory / HUB_CA)
        login = stranger.get("/hub/login")
        assert "<b>Closed</b> on Friday" in login.text
        assert "Ours" in login.text
        assert "Ask an administrator of this site" in login.text, "henhouse's page is extended, not replaced"
        assert '<a class="mx-2" href="/hub/about">About</a>' in login.text
        assert stranger.get("/hub/logo").content == PNG
        assert stranger.get("/hub/about").status_code == 200
        assert "<h1>About &lt;Astronomy&gt;</h1>" in stranger.get("/hub/about").text
        assert "grace" in again.get("/hub/about").text
        assert stranger.get("/hub/site/css/site.css").text == PAGES["static/css/site.css"]
        for path in ("/hub/site/css/none.css", "/hub/site/..%2f..%2fsite.json", "/hub/site/%2e%2e/logo.png"):
            assert stranger.get(path).status_code in (403, 404), path
        failed = stranger.get("/hub/faq")
        assert failed.status_code == 500, "a page that fails ends in the page of errors, and the hub continues"
        assert "Something went wrong at the hub" in failed.text
        for page in (login, home, failed, stranger.get("/hub/nothing")):
            assert '<a class="mx-2" href="mailto:help@example.org">Contact an administrator</a>' in page.text
