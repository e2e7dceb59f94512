"""A server at the API server's address that is not the site's API server is noticed at once."""

import asyncio
import base64
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from engine.standins.kubernetes.api import Cluster
from engine.standins.kubernetes.kubeconfig import Access
from tests.certificates import LOOPBACK, Authority

SECONDS: Final = 10
"""More than a preview's few looks take, and less than looks that are repeated at growing distances."""
Talk = Callable[[socket.socket], None]


def hang_up(connection: socket.socket) -> None:
    """Say nothing."""


def speak_plainly(connection: socket.socket) -> None:
    """Answer as a web server without TLS does."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def server(talk: Talk, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Provide the address of a server that closes each connection after `talk`, over TLS with a `context`."""
    with socket.create_server((str(LOOPBACK), 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    talk(context.wrap_socket(connection, server_side=True) if context else connection)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://{LOOPBACK}:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def strangers_certificate(directory: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    for name, text in zip(("stranger.crt", "stranger.key"), Authority().issue("api.example.org"), strict=True):
        (directory / name).write_text(text)
    context.load_cert_chain(directory / "stranger.crt", directory / "stranger.key")
    return context


@pytest.mark.parametrize("stranger", ["another certificate", "no TLS", "silence"])
def test_stranger_at_the_address_is_noticed_at_once(tmp_path: Path, stranger: str) -> None:
    """A proxy in between, a machine that was reinstalled, an address that another machine has now."""
    context = strangers_certificate(tmp_path) if stranger == "another certificate" else None
    with server(speak_plainly if stranger == "no TLS" else hang_up, context) as address:
        known = base64.b64encode(Authority().pem.encode()).decode()
        access = Access(address, "default", {"certificate-authority-data": known}, {})
        since = time.monotonic()
        cluster = Cluster(access)

        async def preview() -> bool:
            found = await cluster.answers()
            await cluster.ask_in_vain()
            return found

        assert asyncio.run(preview()) is False
        assert time.monotonic() - since < SECONDS
