"""Homes that get their people's names at GitHub, by the commands of docs/hub.md."""

import getpass
import os
import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from threading import Thread
from typing import Final

import pytest

from tests.tools import ROOT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="giving files away takes root")

NUMBERS: Final = {"bob": 1, "Carol-2": 2, "0day": 3, "dora": 4}


class GitHub(BaseHTTPRequestHandler):
    """Says the numbers of accounts, as /users/NAME does, and 403 of others, as of everybody who has asked too much."""

    def do_GET(self) -> None:
        login = self.path.removeprefix("/users/")
        found = login in NUMBERS
        self.send_response(200 if found else 403)
        self.end_headers()
        self.wfile.write(f'{{\n  "login": "{login}",\n  "id": {NUMBERS.get(login)},\n  "node_id": "x"\n}}'.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def github() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), GitHub) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def commands(homes: Path, github: str) -> str:
    """Return the commands of the page, with the places of the test."""
    page = (ROOT / "docs/hub.md").read_text()
    (found,) = re.findall(r"^   ```sh\n(   cd /nest/homes .*?)^   ```$", page, re.MULTILINE | re.DOTALL)
    text = dedent(found).replace("/nest/homes", str(homes)).replace("https://api.github.com", github)
    return text.replace("henhouse-homes", getpass.getuser())


def test_homes_move_by_the_page(tmp_path: Path, github: str) -> None:
    for name in ("ada", "bob", "zero", "dora", "erin"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "whose").write_text(name)
    (tmp_path / "people").write_text("ada bob\nbob Carol-2\nzero 0day\ndora dora\nerin misspelt\n")

    def move() -> str:
        script = ["bash", "-c", commands(tmp_path, github)]
        return subprocess.run(script, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    first = move()
    assert "ada stays: bob is there already" in first
    assert "erin stays: GitHub does not say who misspelt is" in first
    move()
    move()
    assert {each.parent.name: each.read_text() for each in tmp_path.glob("*/whose")} == {
        "bob": "ada",
        "carol-2": "bob",
        "u_0day": "zero",
        "dora": "dora",
        "erin": "erin",
    }
    accounts = {each.name: each.read_text() for each in (tmp_path / ".accounts").iterdir()}
    assert accounts == {
        name: f"https://github.com {number}\n"
        for name, number in {"bob": 1, "carol-2": 2, "u_0day": 3, "dora": 4}.items()
    }
