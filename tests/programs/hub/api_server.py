"""As much of an API server as lists pods, for tests that need it to come late."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from tests.certificates import LOOPBACK, Authority

TOKEN: Final = "token-of-the-hubs-account"
PODS: Final = "/api/v1/namespaces/users/pods"
_NONE: Final = {"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": []}


@dataclass
class ApiServer:
    """Has a port from the beginning; refuses connections until it is `open`."""

    server: ThreadingHTTPServer
    account: Path
    """The directory with `token` and `ca.crt`, as a pod has it."""

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self.server.serve_forever)

    @property
    def port(self) -> int:
        """Where it will listen, on the loopback."""
        return int(self.server.server_address[1])

    def open(self) -> None:
        """From now on it answers."""
        self.server.server_activate()
        self._thread.start()

    def close(self) -> None:
        """Take the port back."""
        if self._thread.is_alive():
            self.server.shutdown()
            self._thread.join()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}" or path != PODS:
            self.send_error(403)
            return
        body = b"" if "watch=" in query else json.dumps(_NONE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def api_server(directory: Path) -> Iterator[ApiServer]:
    """Yield an API server that cannot be reached yet."""
    authority = Authority()
    certificate, key = authority.issue("kubernetes")
    for name, text in (("tls.crt", certificate), ("tls.key", key), ("ca.crt", authority.pem), ("token", TOKEN)):
        (directory / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    server = ThreadingHTTPServer((str(LOOPBACK), 0), _Handler, bind_and_activate=False)
    server.server_bind()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    late = ApiServer(server, directory)
    try:
        yield late
    finally:
        late.close()
