"""A maker of homes for tests: HTTPS that asks for the hub's certificate, as the file server's does."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.certificates import LOOPBACK, Authority


@dataclass
class Maker:
    """Where it listens, what it was asked, and what the hub's Secret must hold to be answered."""

    url: str
    secrets: dict[str, str]
    another_authority: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def running_maker(directory: Path) -> Iterator[Maker]:
    """Answers a uid for every name but `nobody`, whom it has no room for."""
    authority = Authority()
    client_certificate, client_key = authority.issue("hub", client=True)
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"POST {self.path}")
            found = not self.path.endswith("/nobody")
            body = b'{"uid": 100007, "gid": 100007}' if found else b"no room"
            self.send_response(200 if found else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer((str(LOOPBACK), 0), Handler)
    server.socket = _context(authority, directory).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Maker(
            url=f"https://{LOOPBACK}:{server.server_address[1]}",
            secrets={
                "homes-ca.crt": authority.pem,
                "homes-client.crt": client_certificate,
                "homes-client.key": client_key,
            },
            another_authority=Authority().pem,
            asked=asked,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _context(authority: Authority, directory: Path) -> ssl.SSLContext:
    certificate, key = authority.issue("maker")
    for name, text in (("maker.crt", certificate), ("maker.key", key), ("maker-ca.crt", authority.pem)):
        (directory / name).write_text(text)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(directory / "maker-ca.crt"))
    context.load_cert_chain(directory / "maker.crt", directory / "maker.key")
    context.verify_mode = ssl.CERT_REQUIRED
    return context
