"""Requests to the file server are repeated until it answers: after a power cut it is back later than the hub."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 5.0
"""Seconds between two attempts: doubled after each, so that a room full of people does not crowd a server that has
just come back."""


AT_ONCE: Final = 16
"""Questions that are under way together; the time of the others begins when it is their turn. When a hub that is short
of a processor begins 64 connections at once, all are late, given up and begun again: none came to an end
(docs/hub-load.md)."""
_turns: Final = asyncio.Semaphore(AT_ONCE)


class OthersFirst(Exception):
    """So many questions are under way that this one waits for its turn."""


async def answered(request: HTTPRequest, patience: float, waits: Callable[[Exception], None]) -> HTTPResponse:
    """Return the answer, whatever its status.

    The request is repeated for `patience` seconds while the server does not answer, and `waits` gets the reason each
    time; `OthersFirst` while it is not yet its turn. The last error is raised then, and at once the error of a server
    that cannot prove who it is: no time mends that.
    """
    loop = asyncio.get_running_loop()
    end, pause = loop.time() + patience, FIRST_PAUSE
    with client() as connections:
        while True:
            if _turns.locked():
                waits(OthersFirst(f"{AT_ONCE} others are being answered"))
            try:
                async with _turns:
                    return await connections.fetch(request, raise_error=False)
            except ssl.SSLCertVerificationError:
                raise
            except Exception as error:  # refused, unreachable, cut off, too slow: each has a class of its own
                if loop.time() + pause > end:
                    raise
                waits(error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


@contextmanager
def client() -> Iterator[SimpleAsyncHTTPClient]:
    """Provide a client of its own: the one that tornado shares makes ten requests at a time, and logins are among them.

    It is tornado's own also where pycurl is there, so that an error is the same everywhere.
    """
    made = SimpleAsyncHTTPClient(force_instance=True)
    try:
        yield made
    finally:
        made.close()
