"""A living site changes its login to GitHub: who comes in, with which number, who is put out. A part of `make chaos`.

GitHub is played by tests/programs/hub/provider.py, on the campus.
"""

import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.site import edited, in_the_pod, kubectl, on, output
from tests.browser.chromium import ON_THE_CAMPUS, ROOT, open_page
from tests.browser.session import GATEWAY, HUB, LAB_SECONDS, SPAWN_SECONDS, Notebook
from tests.programs.hub.provider import CLIENT_ID, CLIENT_SECRET, PROVIDER_CA, GitHub, running
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

MEMBER: Final = "lovelace"
STRANGER: Final = "stray"
DENIED: Final = "fox"
UID: Final = 2**29 + 7
GID: Final = 2**30 + 1001
ADDRESS: Final = "198.18.0.1"
PORT: Final = 8443
REGISTRY_PORT: Final = 5000
CHECK_SECONDS: Final = 10
LISTEN: Final = """
import socket, sys
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
socket.send_fds(socket.socket(fileno=sys.stdin.fileno()), [b"x"], [listener.fileno()])
"""


def test_people_of_github_come_in_with_their_numbers_and_leave_with_their_membership(tmp_path: Path) -> None:
    accounts = {MEMBER: 7, STRANGER: 8, DENIED: 9}
    members = {"flock": {MEMBER, DENIED}, "foxes": {DENIED}}
    github = GitHub(accounts=accounts, organizations={"flock": 1001, "foxes": 1002}, members=members)
    with running(github, tmp_path, campus_listener()):
        assert not hub_reaches(ADDRESS, PORT), "without the login it has no business there"
        with edited(login_with(github, tmp_path)):
            assert hub_reaches(ADDRESS, PORT)
            assert not hub_reaches(ADDRESS, REGISTRY_PORT), "another port of the same machine, which listens"
            authorities = (str(output("ca_certificate")), (tmp_path / PROVIDER_CA).read_text())
            with open_page(HUB, GATEWAY, *authorities) as page:
                for person in (STRANGER, DENIED):
                    comes(page, github, person)
                    expect(page.get_by_role("heading", name="You are not let in")).to_be_visible()
                comes(page, github, MEMBER)
                works_under_their_number(page)
                stays_while_github_is_away(page, github)
                leaves_with_the_membership(page, github)
    assert on("hen", f"stat --format %u /nest/homes/{MEMBER}/mine").strip() == str(UID), "the files stay"


def stays_while_github_is_away(page: Page, github: GitHub) -> None:
    """Let GitHub be down and ask for patience: who is logged in works on, and who comes is told to come back."""
    for status in (503, 429):
        github.answers_with = status
        asked_again(github)
        assert runs(), f"who is logged in works on: {status}"
        page.goto(f"https://{HUB}/hub/home")
        expect(page.get_by_role("button", name="Stop My Server")).to_be_visible()
        page.get_by_role("button", name="Logout").click()
        expect(page.get_by_role("button", name="Sign in with GitHub")).to_be_visible()
        comes(page, github, MEMBER)
        expect(page.get_by_role("heading", name="You cannot log in at the moment")).to_be_visible()
        github.reset()
        eventually("the login", lambda: comes_in(page, github), seconds=120)


def leaves_with_the_membership(page: Page, github: GitHub) -> None:
    """Take the member out of the organization."""
    github.members["flock"].discard(MEMBER)
    eventually("the end of the server", lambda: not runs(), seconds=SPAWN_SECONDS)
    comes(page, github, MEMBER)
    expect(page.get_by_role("heading", name="You are not let in")).to_be_visible()


def works_under_their_number(page: Page) -> None:
    """Run a cell, and look at the person, their groups and their files from all sides."""
    notebook = notebook_of(page, MEMBER)
    notebook.run("import os, getpass; open('mine', 'w').close(); print(getpass.getuser(), os.getuid())")
    notebook.expect_output(f"{MEMBER} {UID}")
    assert in_the_pod(MEMBER, "whoami; id --user").split() == [MEMBER, str(UID)]
    assert f"{GID}(flock)" in in_the_pod(MEMBER, "id")
    assert f'email = "{MEMBER}@example.org"' in in_the_pod(MEMBER, "cat $GIT_CONFIG_SYSTEM")
    assert on("hen", f"stat --format %u /nest/homes/{MEMBER}/mine").strip() == str(UID)


def notebook_of(page: Page, person: str) -> Notebook:
    """Wait for the server of a person who has logged in, and return a new notebook there."""
    page.wait_for_url(f"**/user/{person}/lab**", timeout=SPAWN_SECONDS * 1000, wait_until="commit")
    page.goto(f"https://{HUB}/user/{person}/lab?reset", timeout=LAB_SECONDS * 1000, wait_until="commit")
    notebook = Notebook(page, f"https://{HUB}")
    notebook.open()
    return notebook


def login_with(github: GitHub, directory: Path, address: str = ADDRESS) -> dict[str, Any]:
    """Return the settings of a site whose people have accounts there."""
    login = {
        "type": "github",
        "url": github.url,
        "networks": [f"{address}/32"],
        "certificate_authority": (directory / PROVIDER_CA).read_text(),
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "allowed_organizations": ["flock"],
        "denied_organizations": ["foxes"],
        "check_seconds": CHECK_SECONDS,
    }
    return {"hub": {"login": login}}


def campus_listener(address: str = ADDRESS) -> socket.socket:
    """Return a socket that listens on the campus, inside the rack's network, where this process is not."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [*ON_THE_CAMPUS, sys.executable, "-c", LISTEN, address, str(PORT)]
        subprocess.run(command, stdin=theirs.fileno(), cwd=ROOT, check=True)
        _, (listener,), *_ = socket.recv_fds(ours, 1, 1)
    return socket.socket(fileno=listener)


def hub_reaches(address: str, port: int) -> bool:
    """Whether a program in the hub's pod can connect there."""
    code = f"import socket; socket.create_connection(({address!r}, {port}), timeout=5)"
    return (
        kubectl(
            "--namespace", "hub", "exec", "deployment/hub", "--", "python3", "-c", f"{code}; print('yes')", check=False
        )
        == "yes\n"
    )


def comes(page: Page, github: GitHub, person: str) -> None:
    """Press the button of the login page, as a person with an account at GitHub."""
    github.visitor = person
    page.context.clear_cookies()
    page.goto(f"https://{HUB}/hub/login")
    page.get_by_role("button", name="Sign in with GitHub").click()
    page.wait_for_url(re.compile("/hub/(home|spawn|oauth_callback)|/user/"), timeout=60_000)


def comes_in(page: Page, github: GitHub) -> bool:
    """Whether the member is let in; the hub leaves a provider alone for half a minute that did not answer."""
    comes(page, github, MEMBER)
    return "oauth_callback" not in page.url


def runs() -> bool:
    """Whether the person's pod is there."""
    return bool(kubectl("--namespace", "users", "get", "pods", f"jupyter-{MEMBER}", "--ignore-not-found"))


def asked_again(github: GitHub) -> None:
    """Wait until the hub has asked twice more."""
    before = github.asked
    eventually("two more questions", lambda: github.asked > before + 1, seconds=20 * CHECK_SECONDS)
