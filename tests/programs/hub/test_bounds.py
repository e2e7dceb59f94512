"""How much one request may bring to a hub, and how much of it is kept: a real hub with its database."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.programs.hub.accounts import Hub, Person
from tests.programs.hub.running import HUB_CA
from tests.stacks.sites import ROOT
from tests.tools import jupyterhub_python

pytestmark = pytest.mark.programs

MIB = 2**20


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub")).running() as running:
        yield running


@pytest.fixture(scope="module")
def mallory(hub: Hub) -> Person:
    return hub.person("mallory")


def sent(hub: Hub, browser: Person, path: str, text: str, **headers: str) -> int | None:
    """Send a text, and return the status; None where the hub ends the connection."""
    try:
        answer = requests.post(
            f"{browser.url}{path}", data=text, headers=headers, verify=str(hub.directory / HUB_CA), timeout=60
        )
    except requests.ConnectionError:
        return None
    return answer.status_code


@pytest.mark.parametrize("path", ["/hub/login", "/hub/api/users", "/hub/nothing", "/user/mallory/api/contents"])
def test_large_request_of_a_stranger_is_not_read(hub: Hub, path: str) -> None:
    assert sent(hub, hub.browser(), path, "x" * 2 * MIB) in (400, None)
    assert "Content-Length too long" in hub.log()
    assert hub.browser().get("/hub/login").status_code == 200


def test_administrator_adds_thousands_of_people_at_once(hub: Hub, mallory: Person) -> None:
    body: dict[str, Any] = {"usernames": [f"{number:060}" for number in range(10_000)]}
    answer = mallory.api("POST", "users", **body)
    assert answer.status_code == 403, "it was read, and who is not an administrator is refused"


@pytest.mark.parametrize(
    ("note", "kept"), [("\ud800 half a letter", "? half a letter"), ("no\0thing", "nothing")], ids=ascii
)
def test_note_that_no_database_keeps_is_made_one_that_it_keeps(mallory: Person, note: str, kept: str) -> None:
    made = mallory.api("POST", "users/mallory/tokens", note=note)
    assert (made.status_code, made.json().get("note")) == (201, kept)
    assert mallory.is_in()


def test_note_and_scopes_of_a_token_are_kept_up_to_a_length(hub: Hub, mallory: Person) -> None:
    made = mallory.api("POST", "users/mallory/tokens", note="n" * (MIB // 2))
    assert made.status_code == 201
    assert made.json()["note"] == "n" * 1023
    where = "access:servers!server=mallory/"
    assert mallory.api("POST", "users/mallory/tokens", note="few", scopes=[f"{where}one"]).status_code == 201
    refused = mallory.api("POST", "users/mallory/tokens", note="many", scopes=[f"{where}{'x' * (MIB // 2)}"])
    assert refused.status_code == 400
    assert "at most 10000 characters" in refused.json()["message"]
    kept = mallory.api("GET", "users/mallory/tokens").json()["api_tokens"]
    assert {each["note"][:4] for each in kept} >= {"nnnn", "few"}
    assert "many" not in {each["note"] for each in kept}
    assert (hub.directory / "jupyterhub.sqlite").stat().st_size < MIB


def test_hub_reads_little_of_what_a_server_says_when_it_is_up() -> None:
    command = [jupyterhub_python(), Path(__file__).with_name("large_answers.py"), ROOT / "programs/hub"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("grown") < 64 * MIB
    assert found == {"usual": 200, "endless": 200, "long": "TimeoutError", "packed": 200}
