"""The run: people come, the hub is filled, and then all of them stay while some log in again."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.bench.hub.people import Person, Records
from tests.bench.hub.plan import arrivals, percentile
from tests.bench.hub.site import Running
from tests.bench.hub.usage import Spent, Watch

PROBE_SECONDS: Final = 0.5
LIST_EVERY: Final = 10
"""Every so many-th probe also lists who is active, as the Admin page and the culler do."""
STORM_SECONDS: Final = 5.0
"""All rude people log in again within this time."""


@dataclass(frozen=True)
class Wanted:
    """What is to be tried."""

    people: int
    within: float
    running: int
    steady: float
    patience: float
    """Seconds after which a person who still has no server is a failure."""


@dataclass(frozen=True)
class Times:
    """Of one kind of action, in seconds."""

    count: int
    p50: float
    p95: float
    longest: float


@dataclass(frozen=True)
class Phase:
    """What one part of the run has shown."""

    name: str
    seconds: float
    times: dict[str, Times]
    counts: dict[str, int]
    failures: list[str]
    spent: tuple[Spent, ...]


Tell = Callable[[str, int, int], None]
"""Is told what is under way, how many are done, and of how many."""


def times(records: Records) -> dict[str, Times]:
    """Return what is said of the seconds that were measured."""
    return {
        what: Times(len(each), percentile(each, 50), percentile(each, 95), max(each))
        for what, each in records.seconds.items()
        if each
    }


class Run:
    """A run against a site."""

    def __init__(self, site: Running, wanted: Wanted, tell: Tell) -> None:
        """Prepare it."""
        self._site, self._wanted, self._tell = site, wanted, tell
        self._records = Records()
        self._watch = Watch()
        self._people: list[tuple[Person, asyncio.Task[None]]] = []

    async def phases(self) -> list[Phase]:
        """Run all; the people stay until the end."""
        background = [asyncio.create_task(each) for each in (self._watch.run(), self._probe())]
        wanted = self._wanted
        rest = wanted.running - wanted.people
        try:
            found = [await self._phase(f"{wanted.people} people come", self._come(wanted.people, wanted.within))]
            if rest > 0:
                within = rest * wanted.within / wanted.people
                found.append(await self._phase(f"up to {wanted.running}", self._come(rest, within)))
            found.append(await self._phase("all stay", asyncio.sleep(wanted.steady)))
            found.append(await self._phase("rude people log in again", self._storm()))
        finally:
            for task in [*background, *(life for _, life in self._people)]:
                task.cancel()
            await asyncio.gather(*background, *(life for _, life in self._people), return_exceptions=True)
        return found

    async def _phase(self, name: str, doing: Awaitable[None]) -> Phase:
        self._watch.lap()
        started = time.monotonic()
        await doing
        seconds, records = time.monotonic() - started, self._records
        found = Phase(name, seconds, times(records), dict(records.counts), list(records.failures), self._watch.lap())
        # The people have the same object: what comes from now on is the next phase's.
        records.seconds, records.counts, records.failures = {}, Counter(), []
        return found

    async def _come(self, count: int, within: float) -> None:
        opened = []
        for arrival in arrivals(count, within, first=len(self._people)):
            person = Person(arrival, self._site.url, self._site.password, self._records, self._wanted.patience)
            event = asyncio.Event()
            self._people.append((person, asyncio.create_task(person.come(event))))
            opened.append(event.wait())
        await self._all(f"{count} people come", opened)

    async def _storm(self) -> None:
        rude = [person for person, life in self._people if person.arrival.rude and not life.done()]

        async def later(number: int, person: Person) -> None:
            await asyncio.sleep(STORM_SECONDS * number / len(rude))
            await person.storm()

        await self._all("log in again", [later(*each) for each in enumerate(rude)])

    async def _all(self, what: str, doing: list[Coroutine[Any, Any, Any]]) -> None:
        done = 0
        self._tell(what, done, len(doing))
        for each in asyncio.as_completed(doing):
            await each
            done += 1
            self._tell(what, done, len(doing))

    async def _probe(self) -> None:
        """Ask the hub's API all the time, past the proxy."""
        headers = dict(self._site.headers)
        turn = 0
        async with ClientSession(headers=headers, timeout=ClientTimeout(120)) as session:
            while True:
                await self._ask(session, "hub API, one person", "/users/person0000")
                if turn % LIST_EVERY == 0:
                    await self._ask(session, "hub API, list the active", "/users?state=active&limit=200")
                turn += 1
                await asyncio.sleep(PROBE_SECONDS)

    async def _ask(self, session: ClientSession, what: str, path: str) -> None:
        try:
            async with self._records.timed(what), session.get(f"{self._site.api}{path}") as answer:
                await answer.read()
        except (ClientError, TimeoutError) as error:
            self._records.failures.append(f"{what}: {type(error).__name__}: {error}")


async def measure(site: Running, wanted: Wanted, tell: Tell) -> list[Phase]:
    """Return what a run has shown."""
    with suppress(asyncio.CancelledError):
        return await Run(site, wanted, tell).phases()
    return []
