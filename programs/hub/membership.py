"""People who are logged in are checked with the provider again, and a provider that is away shuts no one out.

Mixed in before an OAuthenticator, which by itself asks at a login alone; shipped to the hub beside its configuration.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

from administrators import demote_former
from answers import ProviderAway, TakenBack, Unsaid, faults_from_here
from brake import REFUSED
from entry import Entry, No
from person import OURS, known_of
from revocation import send_away
from rounds import Rounds
from tornado.web import HTTPError

PATIENCE_SECONDS = 2
"""How long a click waits for the provider while its last answer holds."""


class Membership(Rounds, Entry):  # type: ignore[misc, unused-ignore]
    """Asks again about everyone who is logged in, and holds on to the last answer while the provider is away.

    Whoever the provider no longer vouches for is put out by the next round, unless it is many at once (brake.py), and
    cannot log in. Who is denied by the settings is put out at once.
    """

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
        self.silent_about.pop(user.name, None)
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
            self.silent_about[user.name] = str(error)
            if self.holds(user.name, known):
                return True
            if REFUSED in known and self.is_young(known):
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
