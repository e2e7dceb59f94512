"""Stops servers that were not used for long, or run for too long: a service of the hub, which asks the hub's API.

The jupyterhub-idle-culler of Zero to JupyterHub's image (1.4) has one limit for all people, and notes no reason.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parent))  # for the module beside this file

from culling import Hearing, Limits, Notes, Silence, limits_for, shortest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.log import app_log, enable_pretty_logging

PAGED: Final = "application/jupyterhub-pagination+json"
NO_TIME: Final = timedelta()
ANSWER_SECONDS: Final = 60
"""The list of thousands of people takes a while; tornado's own limit is 20 s."""


class Culler:
    """Looks at the servers that run, as often as the site says."""

    def __init__(self, url: str, site: Mapping[str, Any]) -> None:
        """`url` is that of the hub's API."""
        self._url = url
        self._cull = site["cull"]
        self._notes = Notes(site["directory"])
        self._hearing = Hearing()
        self._silence = Silence()
        self._asking = asyncio.Semaphore(self._cull["concurrency"])

    async def run(self) -> None:
        """Look until the hub ends this program."""
        self._client = AsyncHTTPClient(force_instance=True, max_clients=self._cull["concurrency"])
        while True:
            try:
                await self.look()
            except Exception:  # a hub that starts, or is too busy to answer: it is asked again
                self._hearing.lose()
                app_log.exception("Error: the servers cannot be looked at")
            await asyncio.sleep(self._cull["every"])

    async def look(self) -> None:
        """Stop what has run for too long; one server that cannot be stopped holds up no other."""
        now = datetime.now(UTC)
        found = [(person, server) async for person in self._people() for server in person["servers"].values()]
        self._hearing.confirm(now, time.monotonic())
        done = await asyncio.gather(*(self._judge(*each, now) for each in found), return_exceptions=True)
        for (person, _), outcome in zip(found, done, strict=True):
            if isinstance(outcome, Exception):
                app_log.error("Error: a server of %s cannot be judged or stopped: %r", person["name"], outcome)

    async def _people(self) -> AsyncIterator[dict[str, Any]]:
        """Yield everyone whose server runs."""
        url = f"{self._url}/users?state=ready"
        while url:
            page = json.loads(await self._ask(url, headers={"Accept": PAGED}))
            for person in page["items"]:
                yield person
            following = page["_pagination"]["next"]
            url = following and following["url"]

    async def _judge(self, person: Mapping[str, Any], server: Mapping[str, Any], now: datetime) -> None:
        if not server["ready"] or server["pending"]:
            return
        age = now - datetime.fromisoformat(server["started"])
        # A server without any use yet has only its age.
        inactive = self._hearing.unused(datetime.fromisoformat(server["last_activity"] or server["started"]), now)
        if not shortest(self._cull).exceeded(inactive, age):
            return
        limits = self._limits_of(person)
        too_old = limits.exceeded(NO_TIME, age)
        why = too_old or limits.exceeded(inactive, age)
        if why is None:
            return
        name, which = person["name"], server["name"]
        if not too_old and (spared := await self._spared(name, which, server["last_activity"])):
            app_log.info("The server %s of %s was not used, and %s", which or "(default)", name, spared)
            return
        app_log.info("Stopping the server %s of %s, because %s", which or "(default)", name, why)
        kind = f"servers/{quote(which, safe='')}" if which else "server"
        if not which:  # before it, as the person may look at once
            self._notes.write(name, why)
        try:
            await self._ask(f"{self._url}/users/{quote(name, safe='')}/{kind}", method="DELETE")
        except BaseException:
            self._notes.forget(name)
            raise

    async def _spared(self, name: str, which: str, used: str | None) -> str | None:
        """Return why an idle server is not stopped now: it computes, or for the first time does not say so in time.

        `used` is when it was used last.
        """
        path = f"henhouse/computes/{quote(name, safe='')}/{quote(which, safe='')}"
        try:
            computes = json.loads(await self._ask(f"{self._url}/{path}"))["computes"]
        except HTTPClientError as error:
            if error.code != 404:
                raise
            computes = False  # it has ended meanwhile, or a fragment of the site's replaced the hub's handlers
        if self._silence.excuses((name, which), used, answered=computes is not None):
            return "does not answer"
        return "computes" if computes else None

    def _limits_of(self, person: Mapping[str, Any]) -> Limits:
        """Return a person's limits; raise where the hub does not say which groups they are in, and nothing is stopped.

        Without limits of groups it need not say so.
        """
        return limits_for(self._cull, person["groups"] if self._cull["groups"] else ())

    async def _ask(self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> bytes:
        token = {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"}
        request = HTTPRequest(url, method, {**token, **(headers or {})}, request_timeout=ANSWER_SECONDS)
        async with self._asking:
            return bytes((await self._client.fetch(request)).body)


def main(arguments: list[str]) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="of the hub's API")
    enable_pretty_logging()
    site = json.loads(Path(__file__).with_name("site.json").read_text())
    asyncio.run(Culler(parser.parse_args(arguments).url, site).run())


if __name__ == "__main__":
    main(sys.argv[1:])
