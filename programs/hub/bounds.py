"""How much requests and answers may bring, and the database keeps; shipped to the hub beside its configuration.

JupyterHub takes 100 MiB from anybody, and keeps what a person calls a token, however long that is: in SQLite no text
has a limit. So anybody could use up the hub's memory, and everyone with an account the disk of its database.

It asks each server whether it is up, also all of them when it starts itself, and reads whatever that answers: by
pycurl, which the hub's image has, without end, and unpacked. One person's server could end each start of the hub.
"""

import json
from functools import partialmethod
from typing import Any, Final

from jupyterhub import orm, utils
from sqlalchemy import event
from tornado.httpserver import HTTPServer
from tornado.simple_httpclient import SimpleAsyncHTTPClient

LARGEST_REQUEST: Final = 2**20
"""Bytes. What the hub is sent is forms and short JSON; ten thousand people that are added at once have less."""
LONGEST_ANSWER: Final = 2**20
"""Bytes of what a server says when it is up, of which the hub wants the headers, or of its kernels, 300 for each."""
LONGEST_NOTE: Final = 1023
"""Characters, as the column has them (orm.APIToken.note)."""
LONGEST_SCOPES: Final = 10_000
"""Characters of all scopes of a token in JSON: there may be one for each server that there is not."""


def bound_requests() -> None:
    """Have servers of this process refuse a request with a larger body, before they read it."""
    HTTPServer.initialize = partialmethod(HTTPServer.initialize, max_body_size=LARGEST_REQUEST)


def bound_answers() -> None:
    """Have no more read where JupyterHub looks whether a server is up (utils.py, wait_for_http_server).

    A server that says that its answer is longer has not answered.
    """
    utils.AsyncHTTPClient = bounded_client


def bounded_client() -> SimpleAsyncHTTPClient:
    """Return a client that reads at most `LONGEST_ANSWER` of what a server says, however it is sent."""
    # Each bounds another way to answer: one that does not say its length goes by the buffer alone.
    return SimpleAsyncHTTPClient(
        force_instance=True,
        max_body_size=LONGEST_ANSWER,
        max_buffer_size=LONGEST_ANSWER,
        defaults={"decompress_response": False},
    )


def bound_tokens() -> None:
    """Have a token's note shortened and made one that can be kept, and one with too many scopes refused."""
    event.listen(orm.APIToken.note, "set", _short, retval=True)
    event.listen(orm.APIToken.scopes, "set", _few, retval=True)


def _short(_token: Any, note: Any, *_: Any) -> Any:
    """Return the note without what no database keeps: it would fail the next request as well, whoever's that is."""
    if not isinstance(note, str):
        return note
    return note[:LONGEST_NOTE].encode(errors="replace").decode().replace("\0", "")


def _few(_token: Any, scopes: Any, *_: Any) -> Any:
    """Return the scopes. Raise ValueError where they are too long: JupyterHub tells whoever asks for the token."""
    if len(json.dumps(scopes)) > LONGEST_SCOPES:
        raise ValueError(f"the scopes of a token have at most {LONGEST_SCOPES} characters together")
    return scopes
