"""A registry that misbehaves as told: the OCI distribution API of one repository, with pages, tokens and faults."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tests.certificates import LOOPBACK

REPOSITORY: Final = "team/lab"
TOKEN: Final = "token-of-the-registry"
BASIC: Final = "Basic Z3JhY2U6VDBQLVMzQ1JFVA=="
"""grace:T0P-S3CRET."""


def manifest(tag: str) -> bytes:
    """Return what the registry has under a tag."""
    return json.dumps({"schemaVersion": 2, "annotations": {"of": tag.removeprefix("recommended:")}}).encode()


def digest(tag: str) -> str:
    """Return its digest."""
    return f"sha256:{hashlib.sha256(manifest(tag)).hexdigest()}"


Fault = Callable[[BaseHTTPRequestHandler], bool]
"""Answers a request in its own way and returns True, or leaves it to the registry."""


@dataclass
class Distribution:
    """A running registry, and what it was asked."""

    tags: list[str]
    same: dict[str, str] = field(default_factory=dict)
    """Tags that stand for what others stand for."""
    page: int = 100
    """How many tags are in an answer, however many were asked for."""
    delay: float = 0
    """Seconds before each answer."""
    login: str = ""
    """`bearer` or `basic`; empty for anybody."""
    realm: str = ""
    """Where tokens are had, if not here."""
    fault: Fault | None = None
    headerless: bool = False
    """Without Docker-Content-Digest, which is not required of a registry."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path, and what was shown."""
    prefix: str = ""
    """Of the repository's path, where it stands in for another registry."""
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"{self.scheme}://{LOOPBACK}:{self.port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer as a registry does, once the fault has had its chance."""
        shown = request.headers.get("Authorization", "")
        self.asked.append((request.command, request.path, shown))
        # The delay is what is tested: a registry that takes its time.
        time.sleep(self.delay)
        if self.fault and self.fault(request):
            return
        path = urlsplit(request.path).path
        if path == "/token":
            allowed = self.login != "account" and (not shown or shown == BASIC)
            send(request, 200 if allowed else 401, json.dumps({"token": TOKEN}).encode())
            return
        if self.login and shown != (BASIC if self.login == "basic" else f"Bearer {TOKEN}"):
            realm = self.realm or f"{self.url}/token"
            challenge = 'Basic realm="here"' if self.login == "basic" else f'Bearer realm="{realm}",service="here"'
            send(request, 401, b"{}", {"WWW-Authenticate": challenge})
        elif path == f"/v2/{self.prefix}{REPOSITORY}/tags/list":
            self._list(request)
        else:
            self._manifest(request, path.removeprefix(f"/v2/{self.prefix}{REPOSITORY}/manifests/"))

    def _list(self, request: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(request.path).query)
        last, count = query.get("last", [""])[0], min(int(query["n"][0]), self.page)
        rest = sorted(tag for tag in self.tags if tag > last)
        body = json.dumps({"name": REPOSITORY, "tags": rest[:count]}).encode()
        more = (
            f'</v2/{self.prefix}{REPOSITORY}/tags/list?n={count}&last={rest[count - 1]}>; rel="next"'
            if rest[count:]
            else ""
        )
        send(request, 200, body, {"Link": more} if more else {})

    def _manifest(self, request: BaseHTTPRequestHandler, tag: str) -> None:
        if tag not in self.tags:
            send(request, 404, b"{}")
            return
        meant = self.same.get(tag, tag)
        send(request, 200, manifest(meant), {} if self.headerless else {"Docker-Content-Digest": digest(meant)})


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    """Answer."""
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Keep quiet of whoever does not wait for the end."""


@contextmanager
def serving(registry: Distribution, certificate: tuple[str, str] | None = None) -> Iterator[Distribution]:
    """Serve it, with TLS where the files of a certificate and a key are given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.answer(self)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = _Server((str(LOOPBACK), 0), Handler)
    if certificate:
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        registry.scheme = "https"
    registry.port = int(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
