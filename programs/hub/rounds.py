"""Rounds, in which the provider is asked about everyone whose server runs; shipped to the hub beside membership."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any, Final

from brake import REFUSED, Brake
from oauthenticator.oauth2 import OAuthenticator
from person import known_of
from prometheus_client import Gauge
from revocation import send_away
from status import time_in_words
from tornado.ioloop import PeriodicCallback
from traitlets import Integer

AT_ONCE = 10
"""How many people are checked with the provider, or put out, at one time."""
_HELD: Final = Gauge("henhouse_refused_people_held", "People that the provider refuses and whose servers run on")
_SILENT: Final = Gauge(
    "henhouse_unanswered_people",
    "People whose servers run, and that the provider gave no answer about in the last round",
)


class Rounds(OAuthenticator):  # type: ignore[misc, unused-ignore]
    """Puts out those that the provider refuses, unless it is many at once. Mixed in before an OAuthenticator.

    Until a round has judged a no, and while the brake holds, what the person has stays as it is: a server asks the hub
    whose each request is, so without their session it could not be used, would seem idle, and be culled. Whose server
    has ended starts none: before each start JupyterHub asks again.
    """

    brake_seconds = Integer(3600, config=True, help="How long servers run on when many people are refused at once.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.brake = Brake(self.brake_seconds)
        self.silent_about: dict[str, str] = {}
        """People that the provider gave no answer about when it was last asked, and what came instead."""
        self._rounds = PeriodicCallback(self.ask_about_everybody, self.auth_refresh_age * 1000)
        self._rounds.start()

    async def ask_about_everybody(self) -> None:
        """Ask about each person whose server runs, and put out those that the provider refuses and no brake holds."""
        began = time.time()
        people = {user.name: user for user in self.parent.users.values() if user.active}
        await self._for_each(people.values(), self._ask)
        people = {name: user for name, user in people.items() if user.active}  # without who is out already, as denied
        known = {name: known_of(await user.get_auth_state()) for name, user in people.items()}
        refused = {name: float(each[REFUSED]) for name, each in known.items() if REFUSED in each}
        # Of those who are not refused it may have said nothing.
        vouched_for = {
            name for name, each in known.items() if name not in refused and each.get("confirmed", 0) >= began
        }
        was_held = self.brake.held
        out = self.brake.let_go(refused, vouched_for)
        _HELD.set(len(self.brake.held.people) if self.brake.held else 0)
        if held := self.brake.held:
            self.log.error(
                "brake: the provider says no about %d of %d people. Servers run on, the first until %s, of %s",
                *(held.refused, held.answers, time_in_words(held.until), ", ".join(held.people)),
            )
        elif was_held:
            self.log.warning("brake: off. %d people are refused, and put out where it says no again", len(out))
        await self._for_each([people[name] for name in out], self._put_out)
        self._tell_of_silence({name for name, user in people.items() if user.active})

    def _tell_of_silence(self, people: Collection[str]) -> None:
        self.silent_about = {name: why for name, why in self.silent_about.items() if name in people}
        _SILENT.set(len(self.silent_about))
        if self.silent_about:
            name, why = next(iter(self.silent_about.items()))
            told = "the provider gives no answer about %d of %d people whose servers run; about %s: %s"
            self.log.warning(told, len(self.silent_about), len(people), name, why)

    async def repeats_no(self, user: Any) -> bool:
        """Ask about a person, and return whether the provider says no: one that is away says nothing."""
        raise NotImplementedError

    async def _for_each(self, people: Iterable[Any], do: Callable[[Any], Awaitable[None]]) -> None:
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(user: Any) -> None:
            async with limit:
                try:
                    await do(user)
                except Exception:
                    self.log.exception("could not ask about %s, or not put them out", user.name)

        await asyncio.gather(*(one(user) for user in people))

    async def _ask(self, user: Any) -> None:
        if await self.refresh_user(user):
            user._auth_refreshed = time.monotonic()

    async def _put_out(self, user: Any) -> None:
        # Whoever mends what was changed there may have done so in the middle of the round. And a provider on its way
        # into an outage may not find what it knows: it is away at the next question.
        if await self.repeats_no(user):
            await send_away(user, self.parent.proxy)
