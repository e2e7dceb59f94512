"""As much of GitHub as people log in with, over TLS: its OAuth web flow and the questions that OAuthenticator asks.

https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""

import json
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.certificates import LOOPBACK, Authority

CLIENT_ID: Final = "hub-of-a-test"
CLIENT_SECRET: Final = "secret-of-the-hub"
API: Final = "/api/v3"
"""Where a GitHub Enterprise Server has it."""


@dataclass
class GitHub:
    """People, their memberships, and whether GitHub answers."""

    url: str
    accounts: dict[str, int]
    """Numeric id by login."""
    members: dict[str, set[str]] = field(default_factory=dict)
    """By organization, or team as organization:team."""
    visitor: str = ""
    """Who is logged in to GitHub in the browser that comes next."""
    answers_with: int | None = None
    """The status of every answer of the API; None for what is right."""
    hides: set[str] = field(default_factory=set)
    """Organizations that forbid the hub to look."""
    asked: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    """Login by code or token."""

    def callback(self, query: dict[str, str]) -> str:
        """Return where the browser is sent after the person agreed."""
        assert query["client_id"] == CLIENT_ID
        code = secrets.token_hex(8)
        self.tokens[code] = self.visitor
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, str]:
        """Return a token for a code."""
        assert form["client_secret"] == CLIENT_SECRET
        token = f"gho_{secrets.token_hex(8)}"
        self.tokens[token] = self.tokens.pop(form["code"])
        return {"access_token": token, "token_type": "bearer", "scope": "read:user,user:email,read:org"}

    def answer(self, path: str, login: str | None) -> tuple[int, Any]:
        """Return status and body of a question to the API by the person of a token."""
        self.asked += 1
        if self.answers_with is not None:
            return self.answers_with, {"message": "API rate limit exceeded"}
        if login not in self.accounts:
            return 401, {"message": "Bad credentials"}
        if path == "/user":
            return 200, {"login": login, "id": self.accounts[login], "email": f"{login}@example.org", "name": None}
        match path.strip("/").split("/"):
            case ["orgs", org, "members", who]:
                group = org
            case ["orgs", org, "teams", team, "members", who]:
                group = f"{org}:{team}"
            case _:
                return 404, {"message": "Not Found"}
        if org in self.hides:
            return 403, {"message": "the organization has enabled OAuth App access restrictions"}
        found = who.lower() in {name.lower() for name in self.members.get(group, set())}
        return (204, None) if found else (404, {"message": "Not Found"})


class _Handler(BaseHTTPRequestHandler):
    github: GitHub

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/login/oauth/authorize":
            self.send_response(302)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            self.send_header("Location", self.github.callback(query))
            self.end_headers()
            return
        token = self.headers.get("Authorization", "").rpartition(" ")[2]
        self._send(*self.github.answer(url.path.removeprefix(API), self.github.tokens.get(token)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        assert self.path == "/login/oauth/access_token"
        self._send(200, self.github.token({name: values[0] for name, values in parse_qs(body).items()}))

    def _send(self, status: int, body: Any) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def running_github(directory: Path, **accounts: int) -> Iterator[GitHub]:
    """Run it with these accounts; its authority's certificate is `github-ca.crt` in the directory."""
    authority = Authority("authority of GitHub")
    certificate, key = authority.issue("github")
    for name, text in (("github-ca.crt", authority.pem), ("github.crt", certificate), ("github.key", key)):
        (directory / name).write_text(text)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "github.crt", directory / "github.key")
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer((str(LOOPBACK), 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    github = GitHub(f"https://{LOOPBACK}:{server.server_address[1]}", dict(accounts))
    handler.github = github  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
