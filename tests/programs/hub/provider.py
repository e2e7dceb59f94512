"""As much of identity providers as people log in with, over TLS: OAuth's code flow with PKCE, and what is asked after.

GitHub's: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
OpenID Connect's: https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
"""

import base64
import hashlib
import json
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.programs.hub import git_server
from tests.programs.hub.over_tls import over_tls

CLIENT_ID: Final = "hub-of-a-test"
CLIENT_SECRET: Final = "secret-of-the-hub"
PROVIDER_CA: Final = "provider-ca.crt"
Answer = tuple[int, Any, dict[str, str]]
P = TypeVar("P", bound="Provider")


@dataclass(frozen=True)
class Held:
    """Questions that are not answered until they are let go."""

    begun: threading.Event = field(default_factory=threading.Event)
    """Set when there is such a question."""
    answered: threading.Event = field(default_factory=threading.Event)
    """Set to have it answered."""


@dataclass
class Provider:
    """People with accounts, and whether the provider answers."""

    url: str = ""
    visitor: str = ""
    """Who is logged in to it in the browser that comes next."""
    answers_with: int | None = None
    """The status of every answer but the pages that browsers see; None for what is right."""
    headers: dict[str, str] = field(default_factory=dict)
    """What goes with that status."""
    says: Any = field(default_factory=lambda: {"message": "not now"})
    """What it says then: JSON, or a text as it is."""
    garbage: str = ""
    """What it answers instead, as a proxy in front of it may."""
    silent: threading.Event = field(default_factory=threading.Event)
    """While it is set, questions get no answer."""
    asked: int = 0
    who: dict[str, str] = field(default_factory=dict)
    """Whose a token is."""
    held: dict[str, Held] = field(default_factory=dict)
    """Tokens with which questions wait for their answer."""
    challenges: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By code that was not used yet: the person, and the challenge that came with the request for it."""
    gives_refresh_tokens: bool = False
    renewed_since: set[str] | None = None
    """Who got what renews a login, where it is given once for good, as Google's; None where each answer has one."""
    repositories: Path | None = None
    """Where it keeps git's, if it does."""
    authorize_path: str = "/authorize"
    token_path: str = "/token"

    def reset(self) -> None:
        """Answer what is right again."""
        self.answers_with, self.garbage, self.headers, self.says = None, "", {}, {"message": "not now"}
        self.silent.clear()

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser is sent after the person agreed."""
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        code = secrets.token_hex(8)
        self.challenges[code] = (self.visitor, query["code_challenge"])
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> Answer:
        """Answer a request for a token: for a code, or for a token that renews it."""
        if form["client_secret"] != CLIENT_SECRET:
            return 401, {"error": "invalid_client"}, {}
        if form["grant_type"] == "refresh_token":
            once = self.renewed_since is None
            person = (self.who.pop if once else self.who.get)(form["refresh_token"], None)
        else:
            person, challenge = self.challenges.pop(form["code"], (None, ""))
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
                person = None
        if person is None:
            return self.refusal("invalid_grant")
        return 200, self.issue(person), {}

    def issue(self, person: str) -> dict[str, Any]:
        """Return what a request for a token is answered with."""
        token = self._token(person)
        given = self.gives_refresh_tokens and person not in (self.renewed_since or ())
        if given and self.renewed_since is not None:
            self.renewed_since.add(person)
        renews = {"refresh_token": self._token(person)} if given else {}
        return {"access_token": token, "token_type": "bearer", **renews}

    def refusal(self, error: str) -> Answer:
        """Return the answer to a request for a token that is refused (RFC 6749, 5.2)."""
        return 400, {"error": error}, {}

    def answer(self, path: str, query: dict[str, str], person: str | None) -> Answer:
        """Return status, body and headers of a question by the person of a token."""
        raise NotImplementedError

    def revoke(self, person: str) -> None:
        """Take back all tokens of a person."""
        self.who = {token: each for token, each in self.who.items() if each != person}

    def _token(self, person: str) -> str:
        token = secrets.token_hex(16)
        self.who[token] = person
        return token


@dataclass
class GitHub(Provider):
    """A GitHub Enterprise Server."""

    accounts: dict[str, int] = field(default_factory=dict)
    """Numeric id by login."""
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What people say of themselves, where it is not the usual."""
    organizations: dict[str, int] = field(default_factory=dict)
    """Numeric id by login."""
    members: dict[str, set[str]] = field(default_factory=dict)
    """By organization, or team as organization:team."""
    parents: dict[str, str] = field(default_factory=dict)
    """The team around a team, whose members are its members, too: both as organization:team."""
    lists_teams: bool = True
    """Whether it lists people's teams for this hub."""
    restricted: set[str] = field(default_factory=set)
    """Organizations that let this hub see nothing of their members."""
    scope: str = "read:org,read:user,user:email"
    """What people agree to."""
    authorize_path: str = "/login/oauth/authorize"
    token_path: str = "/login/oauth/access_token"

    def issue(self, person: str) -> dict[str, Any]:
        return {**super().issue(person), "scope": self.scope}

    def refusal(self, error: str) -> Answer:
        return 200, {"error": "bad_verification_code", "error_description": "The code is incorrect or expired."}, {}

    def answer(self, path: str, query: dict[str, str], person: str | None) -> Answer:
        path = path.removeprefix("/api/v3")
        if person not in self.accounts:
            return 401, {"message": "Bad credentials"}, {}
        match path.strip("/").split("/"):
            case ["user"]:
                account = {"login": person, "id": self.accounts[person], "email": f"{person}@example.org"}
                return 200, {**account, "name": None, **self.profiles.get(person, {})}, {}
            case ["user", "teams"] if not self.lists_teams:
                return 403, {"message": "Forbidden"}, {}
            case ["user", "orgs" | "teams" as what]:
                found = self._organizations_of(person) if what == "orgs" else self._teams_of(person)
                return self._page_of(what, found, int(query.get("page", "1")), int(query["per_page"]))
            case ["orgs", org, "members" | "public_members" as kind, who]:
                return self._membership(org, org, who, asker=person, public=kind == "public_members")
            case ["orgs", org, "teams", team, "members", who]:
                return self._membership(f"{org}:{team}", org, who, asker=person, public=False)
        return 404, {"message": "Not Found"}, {}

    def _organizations_of(self, person: str) -> list[dict[str, Any]]:
        return [
            {"login": name, "id": number}
            for name, number in self.organizations.items()
            if person in self.members.get(name, ()) and name not in self.restricted
        ]

    def _teams_of(self, person: str) -> list[dict[str, Any]]:
        """Return the teams that have the person themselves, as GitHub does, without those around them."""
        found = [name.split(":") for name, members in self.members.items() if ":" in name and person in members]
        return [
            {"slug": "ent:everybody", "parent": None},  # of the enterprise
            *(
                {
                    "organization": {"login": organization},
                    "slug": slug,
                    "parent": self._parent(f"{organization}:{slug}"),
                }
                for organization, slug in found
                if organization not in self.restricted
            ),
        ]

    def _page_of(self, what: str, found: list[dict[str, Any]], page: int, size: int) -> Answer:
        rest = f"{self.url}/api/v3/user/{what}?per_page={size}&page={page + 1}"
        more = {"Link": f'<{rest}>; rel="next"'} if len(found) > page * size else {}
        return 200, found[(page - 1) * size : page * size], more

    def _parent(self, team: str) -> dict[str, str] | None:
        return {"slug": self.parents[team].partition(":")[2]} if team in self.parents else None

    def _members(self, group: str) -> set[str]:
        own = [members for name, members in self.members.items() if name.lower() == group.lower()]
        inside = [self._members(team) for team, parent in self.parents.items() if parent.lower() == group.lower()]
        return set().union(*own, *inside)

    def _membership(self, group: str, org: str, who: str, *, asker: str, public: bool) -> Answer:
        members = {name.lower() for name in self._members(group)}
        if org in self.restricted and asker.lower() in members:
            return 403, {"message": "the organization has enabled OAuth App access restrictions"}, {}
        if public or (asker.lower() in members and "read:org" in self.scope.split(",")):
            found = not public and who.lower() in members  # no account here publishes its memberships
            return (204, None, {}) if found else (404, {"message": "Not Found"}, {})
        if ":" in group:
            return 404, {"message": "Not Found"}, {}
        return 302, None, {"Location": f"{self.url}/api/v3/orgs/{org}/public_members/{who}"}


@dataclass
class OpenId(Provider):
    """A provider of OpenID Connect."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What it says of each person."""
    userinfo_path: str = "/userinfo"

    def issue(self, person: str) -> dict[str, Any]:
        claims = {"iss": self.url, "aud": CLIENT_ID, **self.people[person]}
        parts = (base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in ({"alg": "none"}, claims))
        return {**super().issue(person), "id_token": ".".join((*parts, "")), "expires_in": 300}

    def answer(self, path: str, query: dict[str, str], person: str | None) -> Answer:
        if path != self.userinfo_path:
            return 404, {"error": "not_found"}, {}
        if person not in self.people:
            return 401, {"error": "invalid_token"}, {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        return 200, self.people[person], {}


GOOGLE_PATHS: Final[dict[str, Any]] = {"userinfo_path": "/oauth2/v1/userinfo", "token_path": "/oauth2/v4/token"}
CILOGON_PATHS: Final[dict[str, Any]] = {"userinfo_path": "/oauth2/userinfo", "token_path": "/oauth2/token"}
"""Where these two have what the protocol leaves to each, for `OpenId`."""


class _Handler(BaseHTTPRequestHandler):
    provider: Provider
    released: threading.Event

    def do_GET(self) -> None:
        if self._is_of_git():
            return
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == self.provider.authorize_path:
            self._send(302, None, {"Location": self.provider.authorize(query)})
            return
        token = self.headers.get("Authorization", "").partition("Bearer ")[2]
        if held := self.provider.held.get(token):
            held.begun.set()
            held.answered.wait()
        self._answer(lambda: self.provider.answer(url.path, query, self.provider.who.get(token)))

    def do_POST(self) -> None:
        if self._is_of_git():
            return
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        assert self.path == self.provider.token_path
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer(lambda: self.provider.token(form))

    def _is_of_git(self) -> bool:
        """Answer what git asks for, and return whether it was that."""
        repositories = self.provider.repositories
        if repositories is None or not self.path.startswith(git_server.PREFIX):
            return False
        git_server.serve(self, repositories, self.provider.who)
        return True

    def _answer(self, right: Any) -> None:
        self.provider.asked += 1
        if self.provider.silent.is_set():
            self.released.wait()
            return
        if self.provider.answers_with is not None:
            self._send(self.provider.answers_with, self.provider.says, self.provider.headers)
        elif self.provider.garbage:
            self._send(200, self.provider.garbage, {})
        else:
            self._send(*right())

    def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
        text = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(text), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def running(provider: P, directory: Path, listener: socket.socket | None = None) -> Iterator[P]:
    """Run it; its authority's certificate is `PROVIDER_CA` in the directory.

    It answers at a port of the loopback, or where `listener` listens.
    """
    released = threading.Event()
    handler = type("Handler", (_Handler,), {"provider": provider, "released": released})
    with over_tls(handler, directory, "provider", listener) as (provider.url, authority):
        (directory / PROVIDER_CA).write_text(authority)
        try:
            yield provider
        finally:
            released.set()
