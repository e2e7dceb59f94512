"""Servers of tests that answer over TLS, under an authority of their own."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

from tests.certificates import LOOPBACK, Authority


@contextmanager
def over_tls(
    handler: type[BaseHTTPRequestHandler], directory: Path, name: str, listener: socket.socket | None = None
) -> Iterator[tuple[str, str]]:
    """Serve until the block ends; yield the URL, and the authority's certificate, PEM.

    It answers at a port of the loopback, or where `listener` listens. Its certificate, for `name` and the address, is
    kept in the directory.
    """
    listener = listener or socket.create_server((str(LOOPBACK), 0))
    address, port = listener.getsockname()
    authority = Authority(f"authority of the {name}")
    kept = directory / f"{name}.pem"
    kept.write_text("".join(authority.issue(name, address=IPv4Address(address))))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(kept)
    server = ThreadingHTTPServer((address, port), handler, bind_and_activate=False)
    server.daemon_threads = True
    server.socket.close()
    server.socket = context.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://{address}:{port}", authority.pem
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
