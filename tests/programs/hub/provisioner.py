"""A home provisioner for tests: HTTPS that asks for the hub's certificate, as the file server's does."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from tests.certificates import LOOPBACK, Authority

REFUSALS: Final = {
    "roomless": (503, b"no room"),
    "full": (500, b'{"error": "[Errno 28] No space left on device"}'),
    "moved": (409, b'{"error": "moved belongs to 1000, and ids of people begin at 100000"}'),
    "strange": (409, b"[]"),
}
"""Status and body, by the person's name."""


@dataclass
class Provisioner:
    """Where it listens, what it was asked, and what the hub's Secret must hold to be answered."""

    url: str
    secrets: dict[str, str]
    another_authority: str
    asked: list[str] = field(default_factory=list)
    cut_off: int = 0
    """How many connections it still closes without an answer."""


@contextmanager
def running_provisioner(directory: Path) -> Iterator[Provisioner]:
    """Answer a uid for every name but those of `REFUSALS`, which it refuses as the file server does."""
    authority = Authority()
    client_certificate, client_key = authority.issue("hub", client=True)
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            asked.append(f"POST {self.path} {said}".strip())
            name = self.path.rpartition("/")[2]
            home = {"directory": f"home-of-{name}", "uid": 100007, "gid": 100007}
            status, body = REFUSALS.get(name, (200, json.dumps(home).encode()))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            asked.append(f"GET {self.path}")
            body = json.dumps({"free": 3 * 2**40, "total": 4 * 2**40}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        def verify_request(self, request: object, client_address: object) -> bool:
            provisioner.cut_off -= 1
            return provisioner.cut_off < 0

    server = Server((str(LOOPBACK), 0), Handler)
    server.socket = _context(authority, directory).wrap_socket(server.socket, server_side=True)
    provisioner = Provisioner(
        url=f"https://{LOOPBACK}:{server.server_address[1]}",
        secrets={
            "homes-ca.crt": authority.pem,
            "homes-client.crt": client_certificate,
            "homes-client.key": client_key,
        },
        another_authority=Authority().pem,
        asked=asked,
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provisioner
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _context(authority: Authority, directory: Path) -> ssl.SSLContext:
    certificate, key = authority.issue("provisioner")
    files = {"provisioner.crt": certificate, "provisioner.key": key, "provisioner-ca.crt": authority.pem}
    for name, text in files.items():
        (directory / name).write_text(text)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(directory / "provisioner-ca.crt"))
    context.load_cert_chain(directory / "provisioner.crt", directory / "provisioner.key")
    context.verify_mode = ssl.CERT_REQUIRED
    return context
