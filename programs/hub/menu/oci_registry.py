"""A registry's tags and their digests, by the OCI distribution specification 1.1 alone; shipped to the hub.

Nothing that a registry answers is trusted: it is held to a size, to the registry's own address, and to its form.
Credentials go to the registry, and to the places for tokens that the settings name.
"""

import base64
import hashlib
import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

ANSWER_SECONDS = 30.0
"""How long a registry may say nothing."""
LARGEST = 4 << 20
"""Bytes of one answer; registries refuse larger manifests, too (distribution specification, "Pushing Manifests")."""
PAGE = 1000
PAGES = 200
"""So many pages are read of the tags of one repository; registries that give 100 tags per page have room for 20,000."""
MOST_TAGS = 100_000
STEPS = 5
"""Redirections and logins within one request."""
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
LONGEST_LINK = 4096
_NEXT = re.compile(r"<([^<>]*)>\s*;[^,<>]*\brel=\"?next\"?", re.IGNORECASE)
_PARAMETER = re.compile(r"([A-Za-z_]+)=\"([^\"]*)\"")
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")


class RegistryError(Exception):
    """What the registry did that a registry must not do, or why it could not be reached."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """Where an answer leads to is decided in `Registry.ask`."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass
class Answer:
    """A registry's answer."""

    status: int
    headers: Message
    body: bytes


@dataclass
class Registry:
    """A registry at a URL such as https://quay.io."""

    url: str
    account: tuple[str, str] | None = None
    """User name and password; None to ask as anybody."""
    token_hosts: Sequence[str] = ()
    """Other hosts that may give tokens, by name; the registry itself always may."""
    authority: str | None = None
    """The certificates, PEM, of those who may sign the registry's; None for those that everyone trusts."""
    actions: str = "pull"
    """The actions of the tokens: only those that the caller needs."""
    _authorization: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        context = ssl.create_default_context(cadata=self.authority)
        self._opener = urllib.request.build_opener(_Stay, urllib.request.HTTPSHandler(context=context))

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository, each once, in the registry's order. What cannot be a tag is skipped."""
        where: str | None = f"{self.url}/v2/{repository}/tags/list?{urlencode({'n': PAGE})}"
        found: dict[str, None] = {}
        seen: set[str] = set()
        while where and where not in seen:
            # Half a list is useless: registries sort by name, and the weekly builds would be missing first.
            if len(seen) == PAGES:
                raise RegistryError(f"{self.url}: has more than {PAGES} pages of tags of {repository}")
            seen.add(where)
            answer = self._get(where, repository)
            listed = _json(answer.body, where).get("tags") or []
            if not isinstance(listed, list):
                raise RegistryError(f"{where}: tags is {type(listed).__name__}, and not a list")
            found |= {tag: None for tag in listed if isinstance(tag, str) and TAG.fullmatch(tag)}
            if len(found) > MOST_TAGS:
                raise RegistryError(f"{self.url}: has more than {MOST_TAGS} tags of {repository}")
            where = self._next(answer.headers, where)
        return list(found)

    def digest(self, repository: str, tag: str) -> str | None:
        """Return the digest of what a tag stands for; None where the tag does not exist."""
        where = f"{self.url}/v2/{repository}/manifests/{tag}"
        answer = self._ask("HEAD", where, repository)
        if answer.status == 404:
            return None
        said = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == 200 and DIGEST.fullmatch(said):
            return said
        # The header is not required of a registry, nor is HEAD of whatever stands before one.
        answer = self._get(where, repository)
        computed = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        _json(answer.body, where)
        said = answer.headers.get("Docker-Content-Digest", computed)
        if said.startswith("sha256:") and said != computed:
            raise RegistryError(f"{where}: is said to be {said[:80]!r}, and is {computed}")
        return computed

    def _get(self, where: str, repository: str) -> Answer:
        answer = self._ask("GET", where, repository)
        if answer.status != 200:
            raise RegistryError(f"{where}: status {answer.status}")
        return answer

    def _ask(self, method: str, where: str, repository: str) -> Answer:
        """Ask, and log in when the registry wants it; a token that has ended is replaced once."""
        logged_in = False
        for _ in range(STEPS):
            answer = self._once(method, where, {"Accept": ACCEPT, "Authorization": self._authorization})
            if answer.status == 401 and not logged_in:
                self._authorization = self._log_in(answer.headers, repository)
                logged_in = True
            elif answer.status in (301, 302, 303, 307, 308):
                target = _split(answer.headers.get("Location", ""), where).geturl()
                if _origin(target) != _origin(where):
                    raise RegistryError(f"{where}: leads to another place, {target[:200]!r}")
                where = target
            else:
                return answer
        raise RegistryError(f"{where}: leads on and on")

    def _log_in(self, headers: Message, repository: str) -> str:
        """Return what to show to the registry: it says where a token is had (distribution's "Token Authentication")."""
        basic = "Basic " + base64.b64encode(":".join(self.account).encode()).decode() if self.account else ""
        challenges = headers.get_all("WWW-Authenticate") or []
        for challenge in challenges:
            scheme, _, rest = challenge.partition(" ")
            if scheme.lower() == "basic" and basic:
                return basic
            if scheme.lower() == "bearer":
                return f"Bearer {self._token(dict(_PARAMETER.findall(rest)), repository, basic)}"
        raise RegistryError(f"{self.url}: wants a login, and {'another one' if self.account else 'none is given'}")

    def _token(self, said: dict[str, str], repository: str, basic: str) -> str:
        realm = said.get("realm", "")
        self._may_give_tokens(realm)
        # The scope is our own: whatever the registry asks for, what we do here is enough.
        query = {"service": said.get("service", ""), "scope": f"repository:{repository}:{self.actions}"}
        answer = self._once("GET", f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}", {"Authorization": basic})
        if answer.status != 200:
            raise RegistryError(f"{realm}: no token, status {answer.status}")
        data = _json(answer.body, realm)
        token = data.get("token") or data.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise RegistryError(f"{realm}: the answer has no token in it")
        return token

    def _may_give_tokens(self, realm: str) -> None:
        here, there = urlsplit(self.url), _split(realm)
        if there.scheme != "https" and (there.scheme != "http" or here.scheme != "http"):
            raise RegistryError(f"{self.url}: wants a token of {realm[:200]!r}, which is not https")
        if there.username or there.hostname not in (here.hostname, *self.token_hosts):
            raise RegistryError(
                f"{self.url}: wants a token of {realm[:200]!r}; if that is right, name its host in "
                "hub.image_menu.token_hosts"
            )

    def _next(self, headers: Message, where: str) -> str | None:
        """Return the next page, always at the same registry, whatever host the link names."""
        for link in headers.get_all("Link") or []:
            if found := _NEXT.search(link[:LONGEST_LINK]):
                target = _split(found[1], where)
                return urljoin(self.url, f"{target.path}?{target.query}")
        return None

    def _once(self, method: str, where: str, headers: dict[str, str]) -> Answer:
        kept = {name: value for name, value in headers.items() if value}
        try:
            request = urllib.request.Request(where, headers=kept, method=method)
            try:
                response = self._opener.open(request, timeout=ANSWER_SECONDS)
            except urllib.error.HTTPError as error:
                response = error
            with response:
                body = response.read(LARGEST + 1)
                if len(body) > LARGEST:
                    raise RegistryError(f"{where}: answers more than {LARGEST >> 20} MiB")
                if getattr(response, "length", None):
                    raise RegistryError(f"{where}: the answer ends early")
                return Answer(response.status, response.headers, body)
        except (OSError, HTTPException, ValueError) as error:
            raise RegistryError(f"{where.partition('?')[0]}: {error or type(error).__name__}") from error


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = _split(url)
    return parts.scheme, parts.hostname, parts.port


def _split(url: str, where: str = "") -> SplitResult:
    """Return the parts of an address that a registry answers at `where`; raise RegistryError where it is none."""
    try:
        parts = urlsplit(urljoin(where, url))
        _ = parts.port
    except ValueError as error:
        raise RegistryError(f"{url[:200]!r} is not an address") from error
    return parts


def _json(body: bytes, where: str) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{where}: the answer is not JSON") from error
    if not isinstance(data, dict):
        raise RegistryError(f"{where}: answers {type(data).__name__}, and not an object")
    return data
