"""People with browsers: they log in, choose, wait for their server, and keep its websocket open."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, CookieJar, TCPConnector, WSMsgType
from yarl import URL

from tests.bench.hub.plan import Arrival

LOGIN: Final = "/hub/login?next=%2Fhub%2Fspawn"
CHOSEN: Final = re.compile(r'<input [^>]*type="radio"[^>]* checked')
NAME, VALUE = re.compile(r'name="([^"]*)"'), re.compile(r'value="([^"]*)"')
XSRF: Final = re.compile(r'xsrf_token: "([^"]*)"')
PROXIED: Final = {"X-Forwarded-Proto": "https", "Sec-Fetch-Mode": "navigate"}
"""People come by HTTPS, which the edge ends; the cookies are the hub's for that."""
REFUSED: Final = 429
"""The hub starts as many servers at once as it may (``concurrent_spawn_limit``): come again."""
BEATS: Final = 10.0
"""Seconds between two words on a websocket: what an open notebook sends when nothing happens in it."""


class Failure(Exception):
    """What a person did not get."""


@dataclass
class Records:
    """What people met: seconds by what they did, and how often what else happened."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def timed(self, what: str) -> AsyncIterator[None]:
        """Keep how long the block took, if it ended well."""
        started = time.monotonic()
        yield
        self.seconds.setdefault(what, []).append(time.monotonic() - started)


def chosen(page: str) -> dict[str, str]:
    """Return the fields of the form in which nothing was changed: its radio buttons that are checked."""
    found = {}
    for start in (match.start() for match in CHOSEN.finditer(page)):
        tag = page[start : page.index(">", start)]
        name, value = NAME.search(tag), VALUE.search(tag)
        if name and value:
            found[unescape(name[1])] = unescape(value[1])
    return found


def xsrf(page: str) -> str:
    """Return the token against forged forms that a page of the hub's gives its scripts."""
    found = XSRF.search(page)
    if not found:
        raise Failure(f"a page without a token: {page[:200]!r}")
    return found[1]


class Person:
    """One person. `patience` is how many seconds they wait for a server in all."""

    def __init__(self, arrival: Arrival, url: str, password: str, records: Records, patience: float) -> None:
        """Be there, with nothing open."""
        self.arrival, self.records = arrival, records
        self._url, self._password, self._patience = url, password, patience

    def browser(self) -> ClientSession:
        """Open one that remembers nothing."""
        jar = CookieJar(unsafe=True, treat_as_secure_origin=URL(self._url))
        return ClientSession(
            self._url,
            cookie_jar=jar,
            headers=PROXIED,
            timeout=ClientTimeout(None, sock_connect=60, sock_read=120),
            connector=TCPConnector(limit=6),
        )

    async def come(self, opened: asyncio.Event) -> None:
        """Log in, get a server, open it, and stay: websocket and all. `opened` is set when the notebook is there."""
        await asyncio.sleep(self.arrival.after)
        try:
            async with self.browser() as browser, asyncio.timeout(None) as waiting:
                waiting.reschedule(asyncio.get_running_loop().time() + self._patience)
                async with self.records.timed("all, login to notebook"):
                    form = await self.log_in(browser)
                    async with self.records.timed("spawn"):
                        await self._spawn(browser, form)
                    async with self.records.timed("open the notebook"):
                        await self.open(browser)
                waiting.reschedule(None)
                self.records.counts["servers"] += 1
                opened.set()
                await self._hold(browser)
        except (Failure, ClientError, TimeoutError) as error:
            self.records.failures.append(f"{self.arrival.name}: {type(error).__name__}: {error}")
        finally:
            opened.set()

    async def storm(self) -> None:
        """Log in again, as after the laptop was opened again, and go to the server that runs."""
        try:
            async with self.browser() as browser, asyncio.timeout(self._patience), self.records.timed("log in again"):
                await self.log_in(browser)
                await self.open(browser)
        except (Failure, ClientError, TimeoutError) as error:
            self.records.failures.append(f"{self.arrival.name}, again: {type(error).__name__}: {error}")

    async def log_in(self, browser: ClientSession) -> str:
        """Send the login's form; return the page that comes then."""
        async with self.records.timed("login"):
            async with browser.get(LOGIN) as answer:
                token = xsrf(await _page(answer))
            fields = {"username": self.arrival.name, "password": self._password, "_xsrf": token}
            async with browser.post(LOGIN, data=fields) as answer:
                return await _page(answer)

    async def _spawn(self, browser: ClientSession, form: str) -> None:
        while True:
            fields = {**chosen(form), "_xsrf": xsrf(form)}
            async with browser.post("/hub/spawn", data=fields) as answer:
                if answer.status != REFUSED:
                    waiting = await _page(answer)
                    break
                self.records.counts["asked to come again (429)"] += 1
                await asyncio.sleep(float(answer.headers.get("Retry-After", 30)))
            async with browser.get("/hub/spawn") as answer:
                form = await _page(answer)
        await self._progress(browser, xsrf(waiting))

    async def _progress(self, browser: ClientSession, token: str) -> None:
        path = f"/hub/api/users/{self.arrival.name}/server/progress"
        said = ""
        async with browser.get(path, params={"_xsrf": token}, headers={"Sec-Fetch-Mode": "cors"}) as stream:
            async for line in stream.content:
                if line.startswith(b"data:"):
                    step = json.loads(line[5:])
                    said = step.get("message", said)
                    if step.get("failed"):
                        raise Failure(f"no server: {said}")
                    if step.get("ready"):
                        return
        raise Failure(f"status {stream.status}: the progress ended after: {said}")

    async def open(self, browser: ClientSession) -> None:
        """Open the notebook: the hub is asked once more who this is."""
        async with browser.get(f"/user/{self.arrival.name}/lab") as answer:
            page = await _page(answer)
        if "a notebook would be here" not in page:
            raise Failure(f"another page than the notebook: {answer.url}")

    async def _hold(self, browser: ClientSession) -> None:
        path = f"/user/{self.arrival.name}/api/kernels/1/channels"
        async with browser.ws_connect(path) as socket:
            self.records.counts["websockets"] += 1
            while True:
                await asyncio.sleep(BEATS)
                async with self.records.timed("websocket, there and back"):
                    await socket.send_str("{}")
                    answer = await socket.receive(60)
                if answer.type != WSMsgType.TEXT:
                    raise Failure("the websocket was closed")


async def _page(answer: ClientResponse) -> str:
    text = await answer.text()
    if answer.status >= 400:
        raise Failure(f"{answer.method} {answer.url.path}: status {answer.status}")
    return text
