"""What `make up` says, and what it refuses."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from engine.install import state_directory
from lab import progress
from lab.rack import Door, load_rack
from ops.tables import console, table
from quickstart import stack, up, welcome
from quickstart.__main__ import main
from tests.certificates import Authority


def test_another_stack_than_the_racks_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "prod"]) == 1
    assert "`pulumi up --stack prod`" in capfd.readouterr().err


def test_it_ends_with_one_address_and_what_to_try() -> None:
    door = load_rack("dev").door
    assert door is not None
    words = welcome.text(door.url, "any name, password x", Path("/state/authority.crt"), "AB:CD")
    assert words.count("https://") == 1
    for promised in ("password x", "/state/authority.crt", "AB:CD", "make drift", "make shell", "make down"):
        assert promised in words


def test_every_letter_of_a_fingerprint_is_printed(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rich draws some words between colons as pictures, and a digest is letters between colons."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(welcome, "fingerprint", lambda path: "1F:AB:2B:X:0A")
    rack = load_rack("dev")
    rack.state.mkdir(parents=True)
    welcome.show(rack, {"ca_certificate": authority.pem, "login": "any name, password :cat:"})
    progress.say("1F:AB:2B")
    console().print(table(("found",), [("1F:AB:2C",)]))
    printed = capsys.readouterr()
    assert "(SHA-256 1F:AB:2B:X:0A)" in printed.out
    assert "password :cat:" in printed.out
    assert "1F:AB:2B" in printed.err
    assert "1F:AB:2C" in printed.out


def test_table_of_weights_holds_the_slowest_machine_of_a_kind() -> None:
    text = up.table({"boot-nspawn:a": 1.26, "boot-nspawn:b": 3.0, "packages": 12.0})
    assert text == "[seconds]\nboot-nspawn = 3.0\npackages = 12.0\n"


class LoginPage(BaseHTTPRequestHandler):
    """Answers as the hub does: the login page to its own name, and nothing else."""

    def do_GET(self) -> None:
        found = self.path == "/hub/login" and self.headers["Host"].startswith("hub.henhouse.localhost:")
        self.send_response(200 if found else 404)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test's output free."""


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def door(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Provide a server with a certificate of `authority`, where the rack's door would be."""
    directory = tmp_path_factory.mktemp("door")
    certificate, key = authority.issue("hub.henhouse.localhost")
    (directory / "both.pem").write_text(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "both.pem")
    with HTTPServer(("127.0.0.1", 0), LoginPage) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.server_port
        url = f"https://hub.henhouse.localhost:{port}"
        yield Door(listen=f"127.0.0.1:{port}", machine="rooster", port=443, url=url)
        server.shutdown()
        thread.join()


def test_login_page_is_asked_for_as_a_browser_would(door: Door, authority: Authority) -> None:
    assert welcome.ask(door, authority.pem) == "200"


def test_login_page_of_an_impostor_does_not_count(door: Door) -> None:
    assert "CERTIFICATE_VERIFY_FAILED" in welcome.ask(door, Authority().pem)


def test_closed_door_is_named(authority: Authority) -> None:
    closed = Door(listen="127.0.0.1:1", machine="rooster", port=443, url="https://hub.henhouse.localhost:1")
    assert "Connection refused" in welcome.ask(closed, authority.pem)


def test_machines_are_looked_at_whenever_the_state_knows_of_roles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rack = load_rack("dev")
    monkeypatch.setenv("HENHOUSE_STATE", str(tmp_path))
    state = state_directory(rack.name) / ".pulumi/stacks/henhouse/dev.json"
    assert stack.probing(rack) == {}
    state.parent.mkdir(parents=True)
    state.write_text('{"checkpoint": {"latest": {}}}')
    assert stack.probing(rack) == {}
    state.write_text('{"checkpoint": {"latest": {"resources": [{"type": "henhouse:host:HostState"}]}}}')
    assert stack.probing(rack) == {"HENHOUSE_PROBE": "1"}
