"""What is read from registries: well-behaved, slow, strange and hostile ones."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from programs.hub.menu import oci_registry
from programs.hub.menu.oci_registry import Registry, RegistryError
from tests.certificates import Authority
from tests.programs.hub.distribution import (
    BASIC,
    REPOSITORY,
    TOKEN,
    Distribution,
    Fault,
    digest,
    manifest,
    send,
    serving,
)

TAGS: Final = ["d20261126", "r170", "recommended", "w202648"]
ACCOUNT: Final = ("grace", "T0P-S3CRET")


@pytest.fixture
def registry() -> Iterator[Distribution]:
    with serving(Distribution(list(TAGS), {"recommended": "r170"})) as running:
        yield running


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Distribution, str]]:
    """Provide a registry with TLS, and the authority that signed its certificate."""
    authority = Authority()
    certificate, key = authority.issue("registry")
    files = (tmp_path / "tls.crt", tmp_path / "tls.key")
    for path, text in zip(files, (certificate, key), strict=True):
        path.write_text(text)
    with serving(Distribution(list(TAGS)), (str(files[0]), str(files[1]))) as running:
        yield running, authority.pem


def test_tags_and_digests(registry: Distribution) -> None:
    asked = Registry(registry.url)
    assert asked.tags(REPOSITORY) == TAGS
    assert asked.digest(REPOSITORY, "recommended") == asked.digest(REPOSITORY, "r170") == digest("r170")
    assert asked.digest(REPOSITORY, "w202600") is None


def test_two_thousand_tags_in_pages(registry: Distribution) -> None:
    registry.tags = [f"{number:04}" for number in range(2000)]
    assert Registry(registry.url).tags(REPOSITORY) == registry.tags
    assert len(registry.asked) == 20


def test_digest_is_computed_where_the_registry_does_not_tell_it(registry: Distribution) -> None:
    registry.headerless = True
    assert Registry(registry.url).digest(REPOSITORY, "r170") == digest("r170")


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["anonymous", "account"])
def test_token_is_had_where_the_registry_says(registry: Distribution, account: tuple[str, str] | None) -> None:
    registry.login = "bearer"
    asked = Registry(registry.url, account)
    assert asked.tags(REPOSITORY) == TAGS
    assert asked.digest(REPOSITORY, "r170") == digest("r170")
    tokens = [(path, shown) for _, path, shown in registry.asked if path.startswith("/token")]
    assert tokens == [("/token?service=here&scope=repository%3Ateam%2Flab%3Apull", BASIC if account else "")]
    shown = {shown for _, path, shown in registry.asked if not path.startswith("/token")}
    assert shown == {"", f"Bearer {TOKEN}"}, "the password went further than to where tokens are"


def test_token_that_has_ended_is_replaced(registry: Distribution) -> None:
    registry.login = "bearer"
    asked = Registry(registry.url)
    asked._authorization = "Bearer of-an-hour-ago"
    assert asked.tags(REPOSITORY) == TAGS


def test_basic_login(registry: Distribution) -> None:
    registry.login = "basic"
    assert Registry(registry.url, ACCOUNT).tags(REPOSITORY) == TAGS
    with pytest.raises(RegistryError, match="wants a login, and none is given"):
        Registry(registry.url).tags(REPOSITORY)


def test_wrong_password_is_said_and_tried_once(registry: Distribution) -> None:
    registry.login = "bearer"
    with pytest.raises(RegistryError, match="no token, status 401") as error:
        Registry(registry.url, ("grace", "wrong")).tags(REPOSITORY)
    assert "wrong" not in str(error.value)
    assert len(registry.asked) == 2


@pytest.mark.parametrize(
    "realm",
    [
        "https://tokens.example.org/token",
        "http://grace@127.0.0.1/token",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "x",
    ],
)
def test_password_goes_to_no_stranger(registry: Distribution, realm: str) -> None:
    registry.login, registry.realm = "bearer", realm
    with pytest.raises(RegistryError, match="wants a token of"):
        Registry(registry.url, ACCOUNT).tags(REPOSITORY)


def test_password_goes_where_the_settings_say(registry: Distribution) -> None:
    with serving(Distribution([])) as tokens:
        registry.login = "bearer"
        registry.realm = f"http://localhost:{tokens.port}/token"
        assert Registry(registry.url, ACCOUNT, ["localhost"]).tags(REPOSITORY) == TAGS
        assert [shown for _, _, shown in tokens.asked] == [BASIC]


def test_password_does_not_go_in_plain_where_the_registry_has_tls(secure: tuple[Distribution, str]) -> None:
    registry, authority = secure
    registry.login, registry.realm = "bearer", "http://127.0.0.1/token"
    with pytest.raises(RegistryError, match="which is not https"):
        Registry(registry.url, ACCOUNT, authority=authority).tags(REPOSITORY)


def test_certificate_of_a_stranger_is_refused(secure: tuple[Distribution, str]) -> None:
    registry, authority = secure
    assert Registry(registry.url, authority=authority).tags(REPOSITORY) == TAGS
    for other in (None, Authority().pem):
        with pytest.raises(RegistryError, match="CERTIFICATE_VERIFY_FAILED"):
            Registry(registry.url, ACCOUNT, authority=other).tags(REPOSITORY)


def answering(status: int, body: bytes, **headers: str) -> Fault:
    """Return a fault: this answer to everything."""

    def fault(request: BaseHTTPRequestHandler) -> bool:
        send(request, status, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return True

    return fault


def saying(text: bytes) -> Fault:
    """Return a fault: these bytes instead of an answer."""

    def fault(request: BaseHTTPRequestHandler) -> bool:
        request.wfile.write(text)
        request.close_connection = True
        return True

    return fault


def gigabyte(request: BaseHTTPRequestHandler) -> bool:
    """Answer 1 GB, and say so beforehand."""
    request.send_response(200)
    request.send_header("Content-Length", str(1 << 30))
    request.end_headers()
    for _ in range(1 << 10):
        request.wfile.write(b"[" * (1 << 20))
    return True


def endless(request: BaseHTTPRequestHandler) -> bool:
    """Answer until the client has gone."""
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(b"[" * (1 << 20))


FAULTS: Final[list[tuple[str, Fault, str]]] = [
    ("a page of HTML", answering(200, b"<html>Welcome to the hotel's network</html>"), "the answer is not JSON"),
    ("nothing", answering(200, b""), "the answer is not JSON"),
    ("half an answer", answering(200, b'{"tags": ["r1'), "the answer is not JSON"),
    ("bytes", answering(200, bytes(range(256))), "the answer is not JSON"),
    ("depth", answering(200, b"[" * 1_000_000), "the answer is not JSON"),
    ("a list", answering(200, b'["r170"]'), "answers list"),
    ("tags that are none", answering(200, b'{"tags": {"r170": 1}}'), "tags is dict"),
    ("not found", answering(404, b"{}"), "status 404"),
    ("too many requests", answering(429, b"{}", Retry_After="3600"), "status 429"),
    ("out of order", answering(503, b"{}"), "status 503"),
    ("a login for ever", answering(401, b"{}", WWW_Authenticate="Negotiate"), "wants a login"),
    ("another host", answering(307, b"", Location="http://198.18.9.9/v2/"), "leads to another place"),
    ("another port", answering(302, b"", Location="http://127.0.0.1:1/v2/"), "leads to another place"),
    ("a file", answering(301, b"", Location="file:///etc/passwd"), "leads to another place"),
    ("no address", answering(301, b"", Location="http://[::1/"), "is not an address|Invalid"),
    ("no address of tokens", answering(401, b"", WWW_Authenticate='Bearer realm="https://["'), "is not an address"),
    ("no address of a page", answering(200, b'{"tags": []}', Link="<http://[>; rel=next"), "is not an address"),
    ("no port", answering(200, b'{"tags": []}', Link="<http://here:port/>; rel=next"), "is not an address"),
    ("in circles", answering(308, b"", Location="/v2/"), "leads on and on"),
    ("no HTTP", saying(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), "SSH-2.0"),
    ("half a line", saying(b"HTTP/1.1 2"), "HTTP/1.1 2"),
    ("no end of headers", saying(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 2000), "headers"),
    ("a long header", saying(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000), "line"),
    ("a length that is none", saying(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), "the answer is not JSON"),
    ("less than it says", saying(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}"), "ends early"),
    ("broken chunks", saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "IncompleteRead|bytes"),
    ("1 GB", gigabyte, "answers more than 4 MiB"),
    ("no end", endless, "answers more than 4 MiB"),
]


@pytest.mark.parametrize(("fault", "reason"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS])
def test_strange_answer_is_an_error_and_no_menu(registry: Distribution, fault: Fault, reason: str) -> None:
    registry.fault = fault
    with pytest.raises(RegistryError, match=reason):
        Registry(registry.url).tags(REPOSITORY)


def test_registry_that_is_down(registry: Distribution) -> None:
    with pytest.raises(RegistryError, match="Connection refused"):
        Registry("http://127.0.0.1:1").tags(REPOSITORY)


def test_registry_that_says_nothing_is_not_waited_for_for_ever(
    registry: Distribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oci_registry, "ANSWER_SECONDS", 0.2)
    registry.delay = 1
    with pytest.raises(RegistryError, match="timed out"):
        Registry(registry.url).tags(REPOSITORY)


@pytest.mark.parametrize("token", ["", 7, None, "two words", "line\nbreak", "x\r\nX-Evil: 1", "é", "t" * 70_000])
def test_token_that_is_none_is_not_shown(registry: Distribution, token: Any) -> None:
    def fault(request: BaseHTTPRequestHandler) -> bool:
        if not request.path.startswith("/token"):
            return False
        send(request, 200, json.dumps({"token": token}).encode())
        return True

    registry.login, registry.fault = "bearer", fault
    with pytest.raises(RegistryError, match="no token in it"):
        Registry(registry.url).tags(REPOSITORY)


@pytest.mark.parametrize(
    "link",
    [
        "<http://198.18.9.9/v2/team/lab/tags/list?n=2&last=r170>; rel=next",
        "<https://registry.example.org/v2/team/lab/tags/list?n=2&last=r170>; rel=next",
        "<//198.18.9.9/v2/team/lab/tags/list?n=2&last=r170>; rel=next",
        '<?n=2&last=r170>; title="more"; rel="next"',
        '</v2/team/lab/tags/list?n=2>; rel="prev", </v2/team/lab/tags/list?n=2&last=r170>; rel="next"',
    ],
)
def test_next_page_is_asked_of_the_same_registry(registry: Distribution, link: str) -> None:
    def fault(request: BaseHTTPRequestHandler) -> bool:
        if "last" in request.path:
            return False
        send(request, 200, json.dumps({"tags": ["d20261126", "r170"]}).encode(), {"Link": link})
        return True

    registry.fault = fault
    assert Registry(registry.url).tags(REPOSITORY) == TAGS


def test_pages_without_an_end_are_not_a_menu(registry: Distribution) -> None:
    number = iter(range(10**6))

    def fault(request: BaseHTTPRequestHandler) -> bool:
        link = f"<{urlsplit(request.path).path}?last={next(number)}>; rel=next"
        send(request, 200, b'{"tags": ["r170"]}', {"Link": link})
        return True

    registry.fault = fault
    with pytest.raises(RegistryError, match="more than 200 pages"):
        Registry(registry.url).tags(REPOSITORY)
    assert len(registry.asked) == oci_registry.PAGES


def test_page_that_leads_to_itself_is_the_last(registry: Distribution) -> None:
    link = f"</v2/{REPOSITORY}/tags/list?n=1000>; rel=next"
    registry.fault = answering(200, b'{"tags": ["r170"]}', Link=link)
    assert Registry(registry.url).tags(REPOSITORY) == ["r170"]


def test_more_tags_than_a_menu_is_made_of_are_not_a_menu(registry: Distribution) -> None:
    listed = [f"{number:x}" for number in range(oci_registry.MOST_TAGS + 1)]
    registry.fault = answering(200, json.dumps({"tags": listed}).encode())
    with pytest.raises(RegistryError, match="more than 100000 tags"):
        Registry(registry.url).tags(REPOSITORY)


def test_link_that_takes_long_to_read_is_cut(registry: Distribution) -> None:
    registry.fault = answering(200, b'{"tags": ["r170"]}', Link="<>;" * 20_000)
    assert Registry(registry.url).tags(REPOSITORY) == ["r170"]


def test_tags_that_cannot_be_tags_are_ignored(registry: Distribution) -> None:
    listed = ["r170", "r170", 7, None, {}, "a\nb", "<script>", "$(reboot)", "", "a" * 129, "../../x", "w202648\n"]
    registry.fault = answering(200, json.dumps({"tags": listed}).encode())
    assert Registry(registry.url).tags(REPOSITORY) == ["r170"]


def test_registry_without_tags(registry: Distribution) -> None:
    registry.fault = answering(200, b'{"tags": null}')
    assert Registry(registry.url).tags(REPOSITORY) == []


def test_digest_that_does_not_match_what_is_there_is_refused(registry: Distribution) -> None:
    def fault(request: BaseHTTPRequestHandler) -> bool:
        headers = {} if request.command == "HEAD" else {"Docker-Content-Digest": digest("r160")}
        send(request, 200, manifest("r170"), headers)
        return True

    registry.fault = fault
    with pytest.raises(RegistryError, match=f"is said to be '{digest('r160')}', and is {digest('r170')}"):
        Registry(registry.url).digest(REPOSITORY, "r170")


@pytest.mark.parametrize(
    "said", ["sha256:0a", "md5:" + "0a" * 16, "r170", "sha256:" + "0A" * 32, "sha256:" + "0a" * 33]
)
def test_digest_that_is_none_is_not_believed(registry: Distribution, said: str) -> None:
    registry.fault = answering(200, manifest("r170"), Docker_Content_Digest=said)
    asked = Registry(registry.url)
    if said.startswith("sha256:"):
        with pytest.raises(RegistryError, match="is said to be"):
            asked.digest(REPOSITORY, "r170")
    else:
        assert asked.digest(REPOSITORY, "r170") == digest("r170")
