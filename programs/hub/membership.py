"""Who may come in is asked of the provider while people are logged in, and a provider that is away shuts nobody out.

Mixed in before an OAuthenticator; shipped to the hub beside its configuration. OAuthenticator by itself asks at a
login alone, and takes a provider that is down or asks for patience for one that says no (oauth2.py, `refresh_user`).
"""

import asyncio
import json
import time
from typing import Any

from oauthenticator.oauth2 import OAuthenticator
from tornado.httpclient import HTTPClientError
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError
from traitlets import Integer, Unicode

AT_ONCE = 10
"""How many people the provider is asked about at one time."""
QUIET_SECONDS = 30
"""How long a provider that was away is not asked again: nobody waits for it at each click."""
CONFIRMED = "henhouse_confirmed"
"""Where the encrypted login keeps when the provider last said yes, in seconds since 1970."""


class ProviderAway(HTTPError):
    """The provider did not say yes or no; the message is for the person who wants to log in."""

    def __init__(self, reason: object) -> None:
        super().__init__(503, "%s", reason)
        self.jupyterhub_message = (
            "The service that knows who you are does not answer at the moment. Running servers go on. "
            "Please try again in a few minutes."
        )


class Membership(OAuthenticator):  # type: ignore[misc, unused-ignore]
    """Asks again about everybody who is logged in, and holds on to the last answer while the provider is away.

    Whoever the provider no longer vouches for has their servers stopped and has to log in, which is refused.
    """

    hold_seconds = Integer(24 * 3600, config=True, help="How long the last answer holds while the provider is away.")
    account_id_claim = Unicode("sub", config=True, help="What the provider never gives to another account.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._quiet_until = 0.0
        self._rounds = PeriodicCallback(self.ask_about_everybody, self.auth_refresh_age * 1000)
        self._rounds.start()

    async def fetch(self, req: Any, label: str = "fetching", parse_json: bool = True, **options: Any) -> Any:
        """Ask the provider. Raise `ProviderAway` where the answer is neither yes nor no."""
        if time.monotonic() < self._quiet_until:
            raise ProviderAway(f"{label}: the provider did not answer a moment ago")
        try:
            answer = await super().fetch(req, label, parse_json=False, **options)
            self._notice(answer.code, answer.headers, label)
        except HTTPClientError as error:
            self._notice(error.code, error.response.headers if error.response else {}, label)
            raise
        except (TimeoutError, OSError) as error:
            raise self._away(f"{label}: {error}") from error
        if not parse_json:
            return answer
        try:
            return json.loads(answer.body) if answer.body else None
        except ValueError as error:
            raise self._away(f"{label}: the answer is no JSON") from error

    async def refresh_user(self, user: Any, handler: Any = None, **options: Any) -> Any:
        """Return the login as the provider sees it now, True to keep it as it is, or False to ask for a new one."""
        state = await user.get_auth_state()
        if not state:
            return False
        try:
            model = await super().refresh_user(user, handler, **options)
            if model and await self.may_enter(user.name, model):
                return model
        except ProviderAway as error:
            if self.holds(state):
                return True
            self.log.warning("%s has to log in again: nobody vouches for them (%s)", user.name, error)
            return False
        await self.send_away(user)
        return False

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Note when the provider last vouched for the person; called for each login and each time it is asked."""
        auth_model = await super().update_auth_model(auth_model)
        auth_model["auth_state"][CONFIRMED] = time.time()
        return auth_model

    async def check_allowed(self, username: str, auth_model: dict[str, Any] | None) -> bool:
        """Return whether a person may log in; while the provider is away, whether its last answer was yes."""
        if auth_model is None:
            return bool(await super().check_allowed(username, auth_model))
        known = await self._known(username)
        self._refuse_another(username, known, auth_model["auth_state"])
        try:
            return await self.may_enter(username, auth_model)
        except ProviderAway:
            if not self.holds(known):
                raise
            auth_model["auth_state"][CONFIRMED] = known[CONFIRMED]
            return True

    async def may_enter(self, username: str, model: dict[str, Any]) -> bool:
        """Return what the provider and the settings say of a person now."""
        if not self.check_blocked_users(username, model) or await self.is_denied(username, model):
            return False
        # Not for being an administrator's name: at some providers anybody may take that name first.
        return bool(await super().check_allowed(username, {**model, "admin": None}))

    async def is_denied(self, username: str, model: dict[str, Any]) -> bool:
        """Return whether something that the settings deny keeps the person out, whatever else they may be."""
        return False

    def holds(self, state: dict[str, Any]) -> bool:
        """Return whether the provider's last yes is young enough to count."""
        return bool(time.time() - float(state.get(CONFIRMED, 0)) < self.hold_seconds)

    async def ask_about_everybody(self) -> None:
        """Ask about each person whose server runs."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def ask(user: Any) -> None:
            async with limit:
                try:
                    model = await self.refresh_user(user)
                except Exception:
                    self.log.exception("could not ask about %s", user.name)
                    return
                if isinstance(model, dict):
                    await user.save_auth_state(model["auth_state"])
                    user._auth_refreshed = time.monotonic()

        await asyncio.gather(*(ask(user) for user in list(self.parent.users.values()) if user.active))

    async def send_away(self, user: Any) -> None:
        """Stop the servers of a person who may no longer come in, and make the next request ask again."""
        user._auth_refreshed = None
        for name, spawner in list(user.spawners.items()):
            if spawner.active and not spawner.pending:
                self.log.warning("stopping the server %r of %s, who may no longer log in", name, user.name)
                await self.parent.proxy.delete_user(user, name)
                await user.stop(name)

    async def _known(self, username: str) -> dict[str, Any]:
        """Return the login that is kept of this name, or nothing."""
        app = self.parent
        found = next((each for each in app.users.values() if each.name == username), None)
        if found is None and username in app.users:
            found = app.users[username]
        return (await found.get_auth_state() or {}) if found else {}

    def _refuse_another(self, username: str, known: dict[str, Any], state: dict[str, Any]) -> None:
        """Keep the account that took over a name from the files of the one that had it."""
        before = (known.get(self.user_auth_state_key) or {}).get(self.account_id_claim)
        now = (state.get(self.user_auth_state_key) or {}).get(self.account_id_claim)
        if before is not None and before != now:
            self.log.error("%s is now another account (%s, before %s)", username, now, before)
            raise HTTPError(403, "The name %s belonged to another account. Please ask an administrator.", username)

    def _notice(self, code: int, headers: Any, label: str) -> None:
        """Raise `ProviderAway` for what is no answer: too many requests, a fault of the provider, a limit."""
        limited = code == 403 and (headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in headers)
        if code == 429 or code >= 500 or limited:
            raise self._away(f"{label}: status {code}")

    def _away(self, reason: str) -> ProviderAway:
        self._quiet_until = time.monotonic() + QUIET_SECONDS
        return ProviderAway(reason)
