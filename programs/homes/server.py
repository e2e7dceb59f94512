"""The home provisioner over HTTPS, for the one client that the settings name."""

import json
import re
import ssl
import sys
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any, Final, cast

from .names import ACCOUNT_UIDS
from .store import NAME, Homes, NotAHome

ACCOUNT: Final = re.compile(r"[!-~]{1,512} [!-~]{1,512}")
"""Where the account is, and its number or name there."""
LONGEST_BODY: Final = 65536
SILENCE_SECONDS: Final = 10.0
"""After this time without a word from the client the server closes the connection."""


def tls_context(credentials: Path) -> ssl.SSLContext:
    """TLS 1.3 with `certificate` and `key` for the server, and a client certificate that `ca` signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(credentials / "certificate", credentials / "key")
    context.load_verify_locations(credentials / "ca")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@dataclass(frozen=True)
class Asked:
    """The body of a request: whose home it is at an identity provider, where there is one."""

    account: str | None = None
    uid: int | None = None

    def __post_init__(self) -> None:
        if self.account is not None and not (isinstance(self.account, str) and ACCOUNT.fullmatch(self.account)):
            raise ValueError(self.account)
        if self.uid is not None and (type(self.uid) is not int or self.uid not in ACCOUNT_UIDS or not self.account):
            raise ValueError(self.uid)


class Provisioner(ThreadingHTTPServer):
    """The server: `POST /homes/<name>` makes a home where there is none; `GET /healthz` says whether it works,
    `GET /status` how much room the homes have: {"free": BYTES, "total": BYTES}.

    `POST` takes what `Asked` says, and answers {"directory": …, "uid": …, "gid": …}.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext, client: str, homes: Homes) -> None:
        self.context = context
        self.client = client
        self.homes = homes
        super().__init__(address, Handler)

    def get_request(self) -> tuple[socket, Any]:
        """Accept a connection; its own thread does the handshake, so that a silent client holds up no other."""
        connection, address = super().get_request()
        connection.settimeout(SILENCE_SECONDS)
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write a line for each connection that broke, instead of a traceback."""
        print(f"{client_address[0]}: {sys.exception()}", file=sys.stderr, flush=True)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server_version = "henhouse-homes"
    sys_version = ""
    timeout = SILENCE_SECONDS

    def do_GET(self) -> None:
        """Answer whether the service works; tell nothing about people."""
        if not self._allowed():
            return
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, {"status": "ok"})
        elif self.path == "/status":
            self._status()
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there are /healthz and /status, and POST /homes/<name>")

    def _status(self) -> None:
        try:
            free, total = self._provisioner.homes.room()
        except OSError as error:
            self.log_error("room of the homes: %s", error)
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        else:
            self._answer(HTTPStatus.OK, {"free": free, "total": total})

    def do_POST(self) -> None:
        """Make a home."""
        length = self.headers.get("Content-Length", "")
        body = self.rfile.read(min(int(length) if length.isdecimal() else 0, LONGEST_BODY))
        if not self._allowed():
            return
        prefix, _, name = self.path.rpartition("/")
        if prefix != "/homes":
            self._refuse(HTTPStatus.NOT_FOUND, "there is POST /homes/<name>")
            return
        try:
            asked = Asked(**json.loads(body or "{}"))
        except (ValueError, TypeError):
            self._refuse(HTTPStatus.BAD_REQUEST, 'the body must be empty, or {"account": TEXT, "uid": NUMBER or null}')
            return
        try:
            home, new = self._provisioner.homes.make(name, asked.account, asked.uid)
        except ValueError:
            self._refuse(HTTPStatus.BAD_REQUEST, f"{name!r} is not a valid home name; it must match {NAME.pattern}")
        except NotAHome as error:
            self.log_error("home of %s: %s", name, error)
            self._refuse(HTTPStatus.CONFLICT, str(error))
        except OSError as error:
            self.log_error("home of %s: %s", name, error)
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        else:
            self._answer(HTTPStatus.CREATED if new else HTTPStatus.OK, asdict(home))

    @property
    def _provisioner(self) -> Provisioner:
        return cast(Provisioner, self.server)

    def _allowed(self) -> bool:
        """Return whether the client is the one of the settings; refuse the request when it is not.

        The authority that signed the client's certificate signs others too, so the name in it has to be right.
        """
        subject = cast(ssl.SSLSocket, self.connection).getpeercert() or {}
        pairs = cast(tuple[tuple[tuple[str, str], ...], ...], subject.get("subject", ()))
        names = [value for each in pairs for key, value in each if key == "commonName"]
        if names == [self._provisioner.client]:
            return True
        self._refuse(
            HTTPStatus.FORBIDDEN, f"only the client {self._provisioner.client!r} is accepted, not {', '.join(names)}"
        )
        return False

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._answer(status, {"error": message})

    def _answer(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
