"""People who are logged in are checked with the provider again, and a provider that is away shuts no one out.

Mixed in before an OAuthenticator; shipped to the hub beside its configuration. OAuthenticator by itself asks at a
login alone, and takes a provider that is down or asks for patience for one that says no (oauth2.py, `refresh_user`).
"""

import asyncio
import json
import time
from contextvars import ContextVar
from typing import Any
from weakref import WeakValueDictionary

from administrators import demote_former
from admission import ADDED, Admission
from oauthenticator.oauth2 import OAuthenticator
from person import OURS, described, known_of
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError
from traitlets import Bool, Integer, Set, Unicode, default

AT_ONCE = 10
"""How many people are checked with the provider at one time."""
MOST_QUESTIONS = 50
"""How many requests it gets at one time, logins among them."""
QUIET_SECONDS = 30
"""How long the hub does not retry a provider that could not be reached: people do not wait for it at each click."""
UNREACHABLE = 599
"""Tornado's status for no answer (https://www.tornadoweb.org/en/stable/httpclient.html)."""

_away: ContextVar[list["ProviderAway"] | None] = ContextVar("away", default=None)
"""Errors during the check of one person: OAuthenticator takes some of them for a no."""


class ProviderAway(HTTPError):
    """The provider did not say yes or no; the message is for the person who wants to log in."""

    def __init__(self, reason: object) -> None:
        super().__init__(503, "%s", reason)
        self.jupyterhub_message = "The service that knows who you are does not answer at the moment."
        if (raised := _away.get()) is not None:
            raised.append(self)


class Membership(Admission, OAuthenticator):  # type: ignore[misc, unused-ignore]
    """Asks again about everyone who is logged in, and holds on to the last answer while the provider is away.

    Whoever the provider no longer vouches for has their servers stopped and has to log in, which is refused.
    """

    hold_seconds = Integer(24 * 3600, config=True, help="How long the last answer holds while it cannot be renewed.")
    account_id_claim = Unicode("sub", config=True, help="What the provider never gives to another account.")
    denied_groups = Set(config=True, help="Groups whose members may not log in.")
    everybody = Bool(False, config=True, help="Whether everyone with an account there may log in.")
    tokens_end = True
    """Whether the provider's tokens end by themselves. Where they do not, one that is refused was revoked."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        demote_former(self.db, set(self.admin_users))
        self._quiet_until = 0.0
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._rounds = PeriodicCallback(self.ask_about_everybody, self.auth_refresh_age * 1000)
        self._rounds.start()

    @default("http_client")
    def _own_http_client(self) -> AsyncHTTPClient:
        """Return a client that nothing else of the hub's uses: tornado's shared one makes ten requests at a time."""
        return AsyncHTTPClient(force_instance=True, max_clients=MOST_QUESTIONS)

    def normalize_username(self, username: str) -> str:
        """Return the name as the hub has it, and as a home may be called.

        A name that only looks like another is refused: in lower case, the sign of Kelvin is a k.
        """
        if not username.isascii():
            raise HTTPError(403, "The name %r has letters that no name here may have.", username)
        name = str(super().normalize_username(username)).replace("@", "_at_").replace(":", "_")
        return f"u_{name}" if name[:1].isdigit() else name

    async def fetch(self, req: Any, label: str = "fetching", parse_json: bool = True, **options: Any) -> Any:
        """Ask the provider. Raise `ProviderAway` where the answer is neither yes nor no."""
        if time.monotonic() < self._quiet_until:
            raise ProviderAway(f"{label}: the provider could not be reached a moment ago")
        try:
            answer = await super().fetch(req, label, parse_json=False, **options)
            self._notice(answer.code, answer.headers, label)
        except HTTPClientError as error:
            self._notice(error.code, error.response.headers if error.response else {}, label)
            raise
        except (TimeoutError, OSError) as error:
            self._notice(UNREACHABLE, {}, f"{label}: {error}")
        if not parse_json:
            return answer
        try:
            return json.loads(answer.body) if answer.body else None
        except ValueError as error:
            raise ProviderAway(f"{label}: the answer is not JSON") from error

    async def refresh_user(self, user: Any, handler: Any = None, **options: Any) -> Any:
        """Return the login as the provider sees it now, True to keep it as it is, or False to ask for a new one."""
        # One at a time for each person: a token that renews the login may be good for one use.
        async with self._asking.setdefault(user.name, asyncio.Lock()):
            state = await user.get_auth_state()
            if "account" not in (known := known_of(state)):
                return False
            answer = await self._asked(user, state, known, handler, **options)
            if await user.get_auth_state() != state:
                return True  # The person has logged in meanwhile: the answer is about a login that is gone.
            if answer is None:
                await self.send_away(user)
            elif isinstance(answer, dict):
                await user.save_auth_state(answer["auth_state"])
                self.join_groups(user, answer)
            return answer or False

    async def _asked(
        self, user: Any, state: dict[str, Any], known: dict[str, Any], handler: Any, **options: Any
    ) -> dict[str, Any] | bool | None:
        """Return the login as the provider sees it now, True while its last answer holds, and None for a no.

        False asks for a new login, and leaves servers alone.
        """
        _away.set([])
        try:
            model = await super().refresh_user(user, handler, **options)
            if raised := _away.get():
                raise raised[0]
            if model and known_of(model["auth_state"])["account"] == known["account"]:
                model["auth_state"][OURS] |= self.kept_addition(known, user.name)
                # By the name that let them in; the account has another now where its person was renamed.
                if self.check_blocked_users(model["name"], model) and await self.may_enter(user.name, model):
                    # Not for the name that the account has now: it may be an administrator's who gave it up.
                    return {**model, "admin": user.name in self.admin_users or None}
            elif not model and (self.tokens_end or state.get("refresh_token")) and self.holds(user.name, known):
                return True
        except ProviderAway as error:
            if self.holds(user.name, known):
                return True
            self.log.warning("%s has to log in again: the provider does not vouch for them (%s)", user.name, error)
            return False
        except HTTPError as error:
            if error.status_code != 403:
                raise
        return None

    async def get_token_info(self, handler: Any, params: dict[str, Any]) -> dict[str, Any]:
        """Return what the provider gives for a code. Raise `ProviderAway` for neither a token nor a refusal."""
        try:
            return dict(await super().get_token_info(handler, params))
        except HTTPError as error:
            if error.status_code == 500:
                raise ProviderAway(error) from error
            raise
        except TypeError as error:
            raise ProviderAway(f"no token: {error}") from error

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

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Note whose login it is and that the provider vouches for it now; called after each of its answers."""
        # Before upstream's classes add what GitHub keeps to itself, an address that its owner does not publish.
        person = self.person(auth_model["auth_state"][self.user_auth_state_key])
        auth_model = await super().update_auth_model(auth_model)
        state = auth_model["auth_state"]
        number = state[self.user_auth_state_key].get(self.account_id_claim)
        if number in (None, ""):
            raise HTTPError(403, "The provider does not say %s, which tells accounts apart.", self.account_id_claim)
        identity = await self.identity(state)
        account = f"{self.account_issuer} {number}"
        state[OURS] = {"confirmed": time.time(), "account": account, "person": person, **identity}
        return auth_model

    def person(self, claims: dict[str, Any]) -> dict[str, str]:
        """Return what a person's server gets of what the provider says of them: `name` and `email`, where it does."""
        return described(claims)

    async def identity(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the person's `uid`, where the provider numbers accounts, and `groups`, numbers by name."""
        return {}

    async def check_allowed(self, username: str, auth_model: dict[str, Any] | None) -> bool:
        """Return whether a person may log in; while the provider is away, whether its last answer was yes."""
        if auth_model is None:
            return bool(await super().check_allowed(username, auth_model))
        state = auth_model["auth_state"]
        known = await self._known(username)
        if known.get("account", state[OURS]["account"]) != state[OURS]["account"]:
            now, before = state[OURS]["account"], known["account"]
            self.log.error("%s is now another account, %s, before %s", username, now, before)
            raise HTTPError(403, "The name %s belongs to another account. Please ask an administrator.", username)
        state[OURS] |= self.kept_addition(known, username)
        try:
            return await self.may_enter(username, auth_model)
        except ProviderAway:
            if not self.holds(username, known):
                raise
            state[OURS] = known
            return True

    async def may_enter(self, username: str, model: dict[str, Any]) -> bool:
        """Return what the provider and the settings say of a person now."""
        if not self.check_blocked_users(username, model) or await self.is_denied(username, model):
            return False
        # Not for being an administrator's name: at some providers anybody may take that name first.
        # Upstream's classes check what else they demand, such as an address that was verified.
        anyhow = self.everybody or self.may_enter_by_name(username, known_of(model["auth_state"]))
        return bool(await super().check_allowed(username, {**model, "admin": anyhow}))

    async def is_denied(self, username: str, model: dict[str, Any]) -> bool:
        """Return whether something that the settings deny keeps the person out, whatever else they may be."""
        return bool(self.denied_groups.intersection(model.get("groups") or ()))

    def holds(self, name: str, known: dict[str, Any]) -> bool:
        """Return whether the provider's last yes counts: it is young enough, and the settings do not say no."""
        if name in self.blocked_users or (ADDED in known and not self.kept_addition(known, name)):
            return False
        return bool(time.time() - float(known.get("confirmed", 0)) < self.hold_seconds and "account" in known)

    async def ask_about_everybody(self) -> None:
        """Ask about each person whose server runs."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def ask(user: Any) -> None:
            async with limit:
                try:
                    if await self.refresh_user(user):
                        user._auth_refreshed = time.monotonic()
                except Exception:
                    self.log.exception("could not ask about %s", user.name)

        await asyncio.gather(*(ask(user) for user in list(self.parent.users.values()) if user.active))

    def join_groups(self, user: Any, answer: dict[str, Any]) -> None:
        """Put the person into the groups of the hub that the provider says, where it says any."""
        if self.manage_groups:
            user.sync_groups(answer["groups"])

    async def send_away(self, user: Any) -> None:
        """Stop the servers of a person who may no longer come in, and make the next request ask again."""
        user._auth_refreshed = None
        for name, spawner in list(user.spawners.items()):
            if spawner.active and not spawner.pending:
                self.log.warning("stopping the server %r of %s, who may no longer log in", name, user.name)
                await self.parent.proxy.delete_user(user, name)
                await user.stop(name)

    async def _known(self, username: str) -> dict[str, Any]:
        """Return what is known of the person who had this name, or nothing. Refuse a name with something to lose."""
        try:
            user = self.parent.users[username]  # `in` would look for those alone that the hub has in memory
        except KeyError:
            return {}
        known = known_of(await user.get_auth_state())
        if "account" not in known and (user.active or user.orm_user.api_tokens):
            self.log.error("%s has a server or tokens from before the first login with an account", username)
            raise HTTPError(
                403,
                "The name %s was used here before. Please ask an administrator to delete this user on the page Admin: "
                "that ends their server, and keeps the files.",
                username,
            )
        return known

    def _notice(self, code: int, headers: Any, label: str) -> None:
        """Raise `ProviderAway` for what is not an answer: too many requests, a fault of the provider, a limit."""
        if code == UNREACHABLE:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
        # Only a provider that cannot be reached is left alone for all: a limit may be that of one person's token.
        limited = code == 403 and (headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in headers)
        if code == 429 or code >= 500 or limited:
            raise ProviderAway(f"{label}: status {code}")
