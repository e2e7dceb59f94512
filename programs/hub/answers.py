"""What an identity provider answers: yes, no, or neither. Shipped to the hub beside its configuration.

OAuthenticator takes what is neither for a no (oauth2.py, `refresh_user`): a provider that is down, a limit, a page of a
proxy.
"""

import json
import time
from contextvars import ContextVar
from typing import Any

from oauthenticator.oauth2 import OAuthenticator
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.web import HTTPError
from traitlets import default

MOST_QUESTIONS = 50
"""How many requests the provider gets at one time, logins among them."""
QUIET_SECONDS = 30
"""How long the hub does not retry a provider that could not be reached: people do not wait for it at each click."""
UNREACHABLE = 599
"""Tornado's status for no answer (https://www.tornadoweb.org/en/stable/httpclient.html)."""

_faults: ContextVar[list[HTTPError] | None] = ContextVar("faults", default=None)


def faults_from_here() -> list[HTTPError]:
    """Return a list of the errors of this module that are raised from here on, in this task: upstream catches some."""
    found: list[HTTPError] = []
    _faults.set(found)
    return found


class _Kept(HTTPError):
    """An error that is kept for whoever called `faults_from_here`."""

    def __init__(self, status: int, reason: object) -> None:
        super().__init__(status, "%s", reason)
        if (faults := _faults.get()) is not None:
            faults.append(self)


class ProviderAway(_Kept):
    """The provider did not say yes or no; the message is for the person who wants to log in."""

    def __init__(self, reason: object) -> None:
        super().__init__(503, reason)
        self.jupyterhub_message = "The service that knows who you are does not answer at the moment."


class Unsaid(ProviderAway):
    """The provider answers, and does not let the hub see what it asked for."""


class TakenBack(_Kept):
    """The provider refused what renews a login."""

    def __init__(self) -> None:
        super().__init__(403, "the provider does not renew the login any more")


class Asking(OAuthenticator):  # type: ignore[misc, unused-ignore]
    """Asks a provider, and raises `ProviderAway` for what is neither yes nor no. Mixed in before an OAuthenticator."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._quiet_until = 0.0
        self._unanswered: set[str] = set()
        """What renews a login, was sent, and got no answer: a provider that takes each once may have done so."""

    @default("http_client")
    def _own_http_client(self) -> AsyncHTTPClient:
        """Return a client that nothing else of the hub's uses: tornado's shared one makes ten requests at a time."""
        return AsyncHTTPClient(force_instance=True, max_clients=MOST_QUESTIONS)

    async def fetch(self, req: Any, label: str = "fetching", parse_json: bool = True, **options: Any) -> Any:
        """Ask the provider. Raise `ProviderAway` where the answer is neither yes nor no."""
        if time.monotonic() < self._quiet_until:
            raise ProviderAway(f"{label}: the provider could not be reached a moment ago")
        try:
            answer = await super().fetch(req, label, parse_json=False, **options)
            self._notice(answer.code, answer, label)
        except HTTPClientError as error:
            self._notice(error.code, error.response, label)
            raise
        except (TimeoutError, OSError) as error:
            self._notice(UNREACHABLE, None, f"{label}: {error}")
        if not parse_json:
            return answer
        try:
            return json.loads(answer.body) if answer.body else None
        except ValueError as error:
            raise ProviderAway(f"{label}: the answer is not JSON") from error

    async def get_token_info(self, handler: Any, params: dict[str, Any]) -> dict[str, Any]:
        """Return what the provider gives for a code, or for what renews a login.

        Raise `ProviderAway` for neither a token nor a refusal.
        """
        renewing = params.get("refresh_token", "")
        try:
            token = await self._token_for(handler, params)
        except ProviderAway:
            self._unanswered.add(renewing)
            raise
        except HTTPClientError as error:
            if said_in(error.response)["error"] != "invalid_grant":
                raise
            if renewing and renewing not in self._unanswered:
                raise TakenBack from error
            raise HTTPError(403, "the provider gives no token for that") from error
        self._unanswered.discard(renewing)
        return token

    async def _token_for(self, handler: Any, params: dict[str, Any]) -> dict[str, Any]:
        """Return the provider's token. Raise `HTTPClientError` where it says by a word of RFC 6749, 5.2, why not."""
        try:
            return dict(await super().get_token_info(handler, params))
        except HTTPClientError as error:
            if not said_in(error.response).get("error"):
                raise ProviderAway(error) from error
            raise
        except HTTPError as error:
            if error.status_code == 500:
                raise ProviderAway(error) from error
            raise
        except TypeError as error:
            raise ProviderAway(f"no token: {error}") from error

    async def authenticate(self, handler: Any, data: Any = None, **options: Any) -> Any:
        """Return the login of whoever comes back from the provider.

        Raise `ProviderAway` where the provider does not take the token that it has just given.
        """
        try:
            return await super().authenticate(handler, data, **options)
        except HTTPClientError as error:
            raise ProviderAway(error) from error

    def user_info_to_username(self, user_info: Any) -> str:
        """Return what the provider calls the person. Raise `ProviderAway` where it says nothing of anybody."""
        try:
            return str(super().user_info_to_username(user_info))
        except HTTPError as error:
            if error.status_code == 500:
                raise ProviderAway(error) from error
            raise
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ProviderAway(f"an answer without a person: {error}") from error

    def is_limit(self, answer: HTTPResponse) -> bool:
        """Return whether a refusal is about how often the hub asks, and not about the person."""
        headers = answer.headers
        return answer.code == 403 and (headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in headers)

    def _notice(self, code: int, answer: HTTPResponse | None, label: str) -> None:
        """Raise `ProviderAway` for what is not an answer: too many requests, a fault of the provider, a limit."""
        if code == UNREACHABLE:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
        # Only a provider that cannot be reached is left alone for all: a limit may be that of one person's token.
        if code == 429 or code >= 500 or (answer is not None and self.is_limit(answer)):
            raise ProviderAway(f"{label}: status {code}")


def said_in(answer: HTTPResponse | None) -> dict[str, Any]:
    """Return the JSON object that an answer is; an empty one for anything else."""
    try:
        said = json.loads(answer.body) if answer is not None and answer.body else None
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
