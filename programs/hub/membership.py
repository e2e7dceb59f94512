"""People who are logged in are checked with the provider again, and a provider that is away shuts no one out.

Mixed in before an OAuthenticator, which by itself asks at a login alone; shipped to the hub beside its configuration.
"""

import asyncio
import time
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any
from weakref import WeakValueDictionary

from administrators import demote_former
from admission import ADDED, Admission
from answers import Asking, ProviderAway, TakenBack, Unsaid, faults_from_here
from brake import REFUSED
from person import OURS, described, known_of
from revocation import send_away
from rounds import Rounds
from tornado.web import HTTPError
from traitlets import Bool, Integer, Set, Unicode

PATIENCE_SECONDS = 2
"""How long a click waits for the provider while its last answer holds."""


class No(Enum):
    """A no about a person."""

    DENIED = auto()
    """By what the settings deny: they are out at once."""
    REFUSED = auto()
    """By the provider, or by a last yes of it that is too old: the next round puts them out, or the brake holds."""
    STANDS = auto()
    """By the provider's answer before this one, which says nothing: they cannot log in, and servers run on."""


class Membership(Rounds, Admission, Asking):  # type: ignore[misc, unused-ignore]
    """Asks again about everyone who is logged in, and holds on to the last answer while the provider is away.

    Whoever the provider no longer vouches for is put out by the next round, unless it is many at once (brake.py), and
    cannot log in. Who is denied by the settings is put out at once.
    """

    hold_seconds = Integer(24 * 3600, config=True, help="How long the last answer holds while it cannot be renewed.")
    account_id_claim = Unicode("sub", config=True, help="What the provider never gives to another account.")
    denied_groups = Set(config=True, help="Groups whose members may not log in.")
    everybody = Bool(False, config=True, help="Whether everyone with an account there may log in.")
    tokens_end = True
    """Whether the provider's tokens end by themselves. Where they do not, one that is refused was revoked."""

    @property
    def renewals_last(self) -> bool:
        """Whether what renews a login is given to last: one that is refused was taken back, as from a closed account.

        Others end with the person's session at the provider
        (https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess).
        """
        return "offline_access" in self.scope

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        demote_former(self.db, set(self.admin_users), self.log)
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._late: set[asyncio.Future[Any]] = set()

    def normalize_username(self, username: str) -> str:
        """Return the name as the hub has it, and as a home may be called.

        A name that only looks like another is refused: in lower case, the sign of Kelvin is a k.
        """
        if not username.isascii():
            raise HTTPError(403, "The name %r has letters that no name here may have.", username)
        name = str(super().normalize_username(username)).replace("@", "_at_").replace(":", "_")
        return f"u_{name}" if name[:1].isdigit() else name

    async def refresh_user(self, user: Any, handler: Any = None, **options: Any) -> Any:
        """Return the login as the provider sees it now, True to keep it as it is, or False to ask for a new one.

        A click, which comes with a handler, does not wait for a slow provider while the last answer holds; what is
        answered later counts then.
        """
        asking = asyncio.ensure_future(self._refreshed(user, handler, **options))
        if handler is not None:
            known = known_of(await user.get_auth_state())
            await asyncio.wait({asking}, timeout=PATIENCE_SECONDS)
            if not asking.done() and self.holds(user.name, known):
                self._late.add(asking)
                asking.add_done_callback(self._came_late)
                return True
        return await asking

    def _came_late(self, asking: asyncio.Future[Any]) -> None:
        self._late.discard(asking)
        if not asking.cancelled() and (error := asking.exception()):
            self.log.error("could not ask about a person", exc_info=error)

    async def _refreshed(self, user: Any, handler: Any, **options: Any) -> Any:
        answer = await self._judged(user, handler, **options)
        if isinstance(answer, No):
            return answer is not No.DENIED and bool(user.active)
        return answer

    async def repeats_no(self, user: Any) -> bool:
        """Ask about a person, and return whether the provider says no: one that is away says nothing."""
        return await self._judged(user, None) is No.REFUSED

    async def _judged(self, user: Any, handler: Any, **options: Any) -> dict[str, Any] | bool | No:
        """Ask about a person, keep what is answered, and return it. Send away who is denied."""
        # One at a time for each person: a token that renews the login may be good for one use.
        async with self._asking.setdefault(user.name, asyncio.Lock()):
            state = await user.get_auth_state()
            if "account" not in (known := known_of(state)):
                return False
            kept = {**state}
            answer = await self._asked(user, kept, known, handler, **options)
            if await user.get_auth_state() != state:
                return True  # The person has logged in meanwhile: the answer is about a login that is gone.
            if isinstance(answer, No):
                kept[OURS] = {REFUSED: time.time(), **known}
            if not isinstance(answer, dict) and kept != state:
                await user.save_auth_state(kept)
            if answer is No.DENIED:
                await send_away(user, self.parent.proxy)
            if isinstance(answer, dict):
                await user.save_auth_state(answer["auth_state"])
                self.join_groups(user, answer)
            return answer

    async def _asked(
        self, user: Any, state: dict[str, Any], known: dict[str, Any], handler: Any, **options: Any
    ) -> dict[str, Any] | bool | No:
        """Return the login as the provider sees it now, True while its last yes holds, or a no.

        False asks for a new login, and leaves servers alone. Whatever the answer is, `state` is brought up to what the
        login was renewed by on the way: a provider that takes each token once would not be understood again.
        """
        faults = faults_from_here()
        try:
            model = await super().refresh_user(user, handler, **options)
            if away := next((each for each in faults if isinstance(each, ProviderAway)), None):
                raise away
            if model and known_of(model["auth_state"])["account"] == known["account"]:
                state |= {**model["auth_state"], OURS: known}
                model["auth_state"][OURS] |= self.kept_addition(known, user.name)
                # By the name that let them in; the account has another now where its person was renamed.
                if not self.check_blocked_users(model["name"], model):
                    return No.DENIED
                if no := await self.kept_out(user.name, model):
                    return no
                if await self.is_let_in(user.name, model):
                    # Not for the name that the account has now: it may be an administrator's who gave it up.
                    return {**model, "admin": user.name in self.admin_users or None}
            elif not model and self._may_have_ended(state, faults) and self.holds(user.name, known):
                return True
        except ProviderAway as error:
            if self.holds(user.name, known):
                return True
            if REFUSED in known and self._is_young(known):
                return No.STANDS
            self.log.warning("%s has to log in again: the provider does not vouch for them (%s)", user.name, error)
            return No.REFUSED if REFUSED in known or isinstance(error, Unsaid) else False
        except HTTPError as error:
            if error.status_code != 403:
                raise
        return No.REFUSED

    def _may_have_ended(self, state: dict[str, Any], faults: Sequence[HTTPError]) -> bool:
        """Return whether a login that the provider takes no more may have ended by itself."""
        if self.renewals_last and any(isinstance(each, TakenBack) for each in faults):
            return False
        return bool(self.tokens_end or state.get("refresh_token"))

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
        stored = await self._stored(username)
        known = known_of(stored)
        if known.get("account", state[OURS]["account"]) != state[OURS]["account"]:
            now, before = state[OURS]["account"], known["account"]
            self.log.error("%s is now another account, %s, before %s", username, now, before)
            raise HTTPError(403, "The name %s belongs to another account. Please ask an administrator.", username)
        state[OURS] |= self.kept_addition(known, username)
        _keep_what_renews(state, stored)
        try:
            return await self.may_enter(username, auth_model)
        except ProviderAway as away:
            if self.holds(username, known):
                state[OURS] = known
                return True
            if isinstance(away, Unsaid):
                return False
            raise

    async def may_enter(self, username: str, model: dict[str, Any]) -> bool:
        """Return what the provider and the settings say of a person now."""
        return not await self.kept_out(username, model) and await self.is_let_in(username, model)

    async def kept_out(self, username: str, model: dict[str, Any]) -> No | None:
        """Return the no of the settings, which block or deny a person, whatever else they may be; None without one."""
        return No.DENIED if not self.check_blocked_users(username, model) else await self.denied(username, model)

    async def is_let_in(self, username: str, model: dict[str, Any]) -> bool:
        """Return whether the provider or the settings let in a person that nothing keeps out."""
        # Not for being an administrator's name: at some providers anybody may take that name first.
        # Upstream's classes check what else they demand, such as an address that was verified.
        anyhow = self.everybody or self.may_enter_by_name(username, known_of(model["auth_state"]))
        return bool(await super().check_allowed(username, {**model, "admin": anyhow}))

    async def denied(self, username: str, model: dict[str, Any]) -> No | None:
        """Return `No.DENIED` about who is in something that the settings deny, None about others.

        `No.REFUSED` where it cannot be seen, which lets the person in no more, and leaves servers to the brake.
        """
        return No.DENIED if self.denied_groups.intersection(model.get("groups") or ()) else None

    def holds(self, name: str, known: dict[str, Any]) -> bool:
        """Return whether the provider's last yes counts.

        It does while it is young enough, the provider has not said no since, and the settings do not say it.
        """
        if REFUSED in known:
            return False
        if name in self.blocked_users or (ADDED in known and not self.kept_addition(known, name)):
            return False
        return self._is_young(known) and "account" in known

    def _is_young(self, known: dict[str, Any]) -> bool:
        return bool(time.time() - float(known.get("confirmed", 0)) < self.hold_seconds)

    def join_groups(self, user: Any, answer: dict[str, Any]) -> None:
        """Put the person into the groups of the hub that the provider says, where it says any."""
        if self.manage_groups:
            user.sync_groups(answer["groups"])

    async def _stored(self, username: str) -> dict[str, Any]:
        """Return the last login of the person who had this name, or nothing. Refuse a name with something to lose."""
        try:
            user = self.parent.users[username]  # `in` would look for those alone that the hub has in memory
        except KeyError:
            return {}
        stored = dict(await user.get_auth_state() or {})
        if "account" not in known_of(stored) and (user.active or user.orm_user.api_tokens):
            self.log.error("%s has a server or tokens from before the first login with an account", username)
            raise HTTPError(
                403,
                "The name %s was used here before. Please ask an administrator to delete this user on the page Admin: "
                "that ends their server, and keeps the files.",
                username,
            )
        return stored


def _keep_what_renews(state: dict[str, Any], stored: dict[str, Any]) -> None:
    """Take over what renews the last login where the provider gave nothing for this one, which is the same account's.

    Google gives it once (https://developers.google.com/identity/protocols/oauth2/web-server#offline).
    """
    if not state.get("refresh_token") and (renews := stored.get("refresh_token")):
        # OAuthenticator makes the next login of the answer, and stores both.
        state["refresh_token"] = renews
        state["token_response"] = {**state["token_response"], "refresh_token": renews}
