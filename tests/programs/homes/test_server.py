"""The home provisioner over real TLS: which client it answers, and what."""

import json
import os
import shutil
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from programs.homes.names import ACCOUNT_UIDS
from programs.homes.server import Provisioner, tls_context
from programs.homes.store import Homes
from tests.certificates import Authority

CLIENT = "henhouse-hub"
Answer = tuple[int, dict[str, Any]]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="giving files away takes root")


def issue(authority: Authority, directory: Path, name: str, *, client: bool) -> Path:
    """Make the directory and return it, with `certificate`, `key` and `ca` in it."""
    certificate, key = authority.issue(name, client=client)
    directory.mkdir()
    for file, text in (("certificate", certificate), ("key", key), ("ca", authority.pem)):
        (directory / file).write_text(text)
    return directory


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def provisioner(tmp_path: Path, authority: Authority) -> Iterator[Provisioner]:
    (tmp_path / "homes").mkdir()
    homes = Homes(str(tmp_path / "homes"), 100000)
    context = tls_context(issue(authority, tmp_path / "server", "hen", client=False))
    with Provisioner(("127.0.0.1", 0), context, CLIENT, homes) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    homes.close()


@pytest.fixture
def client(tmp_path: Path, authority: Authority) -> Path:
    return issue(authority, tmp_path / "client", CLIENT, client=True)


@pytest.fixture
def ask(provisioner: Provisioner, client: Path) -> Callable[..., Answer]:
    def ask(method: str, path: str, credentials: Path | None = client, body: bytes | None = None) -> Answer:
        context = ssl.create_default_context(cafile=str(client / "ca"))
        if credentials:
            context.load_cert_chain(credentials / "certificate", credentials / "key")
        url = f"https://127.0.0.1:{provisioner.server_address[1]}{path}"
        request = urllib.request.Request(url, method=method, data=body)
        try:
            with urllib.request.urlopen(request, context=context, timeout=10) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return ask


def test_says_how_much_room_there_is(ask: Callable[..., Answer], tmp_path: Path) -> None:
    status, answer = ask("GET", "/status")
    disk = shutil.disk_usage(tmp_path)
    assert status == 200
    assert answer["total"] == disk.total
    assert 0 <= answer["free"] <= answer["total"]
    assert abs(answer["free"] - disk.free) < disk.total / 20, "others write on this disk"


def test_stranger_is_not_told_of_the_room(ask: Callable[..., Answer], tmp_path: Path, authority: Authority) -> None:
    stranger = issue(authority, tmp_path / "stranger", "stranger", client=True)
    assert ask("GET", "/status", stranger)[0] == 403


def test_makes_a_home_once(ask: Callable[..., Answer], tmp_path: Path) -> None:
    assert ask("POST", "/homes/ada") == (201, {"directory": "ada", "uid": 100000, "gid": 100000})
    assert ask("POST", "/homes/ada") == (200, {"directory": "ada", "uid": 100000, "gid": 100000})
    assert (tmp_path / "homes/ada").stat().st_uid == 100000


def test_home_of_an_account_has_its_number(ask: Callable[..., Answer]) -> None:
    body = json.dumps({"account": "https://github.com/ 583231", "uid": ACCOUNT_UIDS.start + 583231}).encode()
    uid = 2**29 + 583231
    assert ask("POST", "/homes/ada", body=body) == (201, {"directory": "ada", "uid": uid, "gid": uid})
    status, answer = ask("POST", "/homes/ada", body=b'{"account": "https://github.com/ 99"}')
    assert status == 409
    assert "ada belongs to another account, 'https://github.com/ 583231'" in answer["error"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"uid": 0}',
        b'{"account": "x 1", "uid": 0}',
        b'{"account": "x 1", "uid": 100000}',
        b'{"account": "x 1", "uid": true}',
        b'{"account": "x 1", "uid": 1073741824}',
        b'{"uid": 536870913}',
        b'{"account": ""}',
        b'{"account": "x"}',
        b'{"account": "x 1\\n"}',
        b'{"account": 1}',
        b'{"account": "x \\u212a"}',
        b'{"mode": 511}',
        b"[1]",
        b"1",
        b"{",
        b"\xff",
    ],
)
def test_body_that_says_something_else_makes_no_home(ask: Callable[..., Answer], tmp_path: Path, body: bytes) -> None:
    status, answer = ask("POST", "/homes/ada", body=body)
    assert status == 400
    assert "the body must be empty, or" in answer["error"]
    assert list((tmp_path / "homes").iterdir()) == []


def test_says_that_it_works(ask: Callable[..., Answer]) -> None:
    assert ask("GET", "/healthz") == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("POST", "/homes/Ada", 400, "is not a valid home name"),
        ("POST", "/homes/..", 400, "is not a valid home name"),
        ("POST", "/homes/%2e%2e", 400, "is not a valid home name"),
        ("POST", "/homes/", 400, "is not a valid home name"),
        ("POST", "/homes/a/b", 404, "POST /homes/<name>"),
        ("POST", "/healthz", 404, "POST /homes/<name>"),
        ("GET", "/homes/ada", 404, "/healthz"),
    ],
)
def test_refuses(ask: Callable[..., Answer], tmp_path: Path, method: str, path: str, status: int, message: str) -> None:
    found, body = ask(method, path)
    assert found == status
    assert message in body["error"]
    assert list((tmp_path / "homes").iterdir()) == []


def test_other_methods_are_unknown(ask: Callable[..., Answer], provisioner: Provisioner, client: Path) -> None:
    context = ssl.create_default_context(cafile=str(client / "ca"))
    context.load_cert_chain(client / "certificate", client / "key")
    url = f"https://127.0.0.1:{provisioner.server_address[1]}/homes/ada"
    with pytest.raises(urllib.error.HTTPError, match="501"):
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), context=context, timeout=10)


def test_something_else_in_a_homes_place_is_named(ask: Callable[..., Answer], tmp_path: Path) -> None:
    (tmp_path / "homes/ada").mkdir()
    status, body = ask("POST", "/homes/ada")
    assert status == 409
    assert "ada belongs to 0," in body["error"]


def test_file_system_that_refuses_is_an_error_of_the_server(ask: Callable[..., Answer], tmp_path: Path) -> None:
    (tmp_path / "homes/.next-uid").write_text("broken")
    status, body = ask("POST", "/homes/ada")
    assert status == 500
    assert "not a number" in body["error"]


def test_client_without_certificate_is_hung_up_on(ask: Callable[..., Answer], tmp_path: Path) -> None:
    with pytest.raises((urllib.error.URLError, ConnectionError, ssl.SSLError)):
        ask("POST", "/homes/ada", credentials=None)
    assert list((tmp_path / "homes").iterdir()) == []


def test_certificate_of_another_authority_is_hung_up_on(ask: Callable[..., Answer], tmp_path: Path) -> None:
    stranger = issue(Authority(), tmp_path / "stranger", CLIENT, client=True)
    with pytest.raises((urllib.error.URLError, ConnectionError, ssl.SSLError)):
        ask("POST", "/homes/ada", credentials=stranger)
    assert list((tmp_path / "homes").iterdir()) == []


def test_client_with_a_server_certificate_is_refused(
    ask: Callable[..., Answer], authority: Authority, tmp_path: Path
) -> None:
    server = issue(authority, tmp_path / "other-server", CLIENT, client=False)
    with pytest.raises((urllib.error.URLError, ConnectionError, ssl.SSLError)):
        ask("POST", "/homes/ada", credentials=server)
    assert list((tmp_path / "homes").iterdir()) == []


def test_other_clients_of_the_authority_are_refused(
    ask: Callable[..., Answer], authority: Authority, tmp_path: Path
) -> None:
    other = issue(authority, tmp_path / "other", "prometheus", client=True)
    for method, path in (("POST", "/homes/ada"), ("GET", "/healthz")):
        status, body = ask(method, path, credentials=other)
        assert (status, body["error"]) == (403, "only the client 'henhouse-hub' is accepted, not prometheus")
    assert list((tmp_path / "homes").iterdir()) == []


def test_silent_client_does_not_block_others(ask: Callable[..., Answer], provisioner: Provisioner) -> None:
    with socket.create_connection(("127.0.0.1", provisioner.server_address[1])):
        assert ask("GET", "/healthz")[0] == 200


def test_many_at_once_get_different_ids(ask: Callable[..., Answer]) -> None:
    answers: list[Answer] = []
    threads = [
        threading.Thread(target=lambda n=number: answers.append(ask("POST", f"/homes/user{n % 10}")))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted({body["uid"] for _, body in answers}) == list(range(100000, 100010))
    assert sorted(status for status, _ in answers) == [200] * 10 + [201] * 10
