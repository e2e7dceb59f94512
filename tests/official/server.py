"""Answers for the official hosts, by http and https, as they answer: `python server.py ADDRESS ROOT CERTIFICATE`.

Standard library only: it runs in a rack's network by itself. Each host's files are below ROOT, in a directory of its
name; a path that is named in `ROOT/stalled` is not answered while it is.
"""

import sys
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from threading import Thread
from typing import Final

KUBERNETES: Final = "pkgs.k8s.io"
KUBERNETES_FILES: Final = "prod-cdn.packages.k8s.io"
DEBIAN: Final = "deb.debian.org"
SECURITY: Final = "security.debian.org"
DOCKER: Final = "download.docker.com"
HOSTS: Final = (DEBIAN, SECURITY, KUBERNETES, KUBERNETES_FILES, DOCKER)


class Handler(SimpleHTTPRequestHandler):
    """One host after the other by the name that is asked for, as a content delivery network does."""

    protocol_version = "HTTP/1.1"
    root = Path()

    def do_GET(self) -> None:
        """Send a file, or where pkgs.k8s.io has it."""
        host = self.headers.get("Host", "").partition(":")[0]
        if host not in HOSTS:
            self.send_error(421)
            return
        while self.path in self._stalled():
            time.sleep(0.2)
        if host == KUBERNETES:
            self.send_response(302)
            self.send_header("Location", f"https://{KUBERNETES_FILES}/repositories/isv:/kubernetes:{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.directory = str(self.root / host)
        super().do_GET()

    def _stalled(self) -> list[str]:
        try:
            return (self.root / "stalled").read_text().splitlines()
        except FileNotFoundError:
            return []


def main(address: str, root: str, certificate: str) -> None:
    """Serve for ever."""
    Handler.root = Path(root)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    plain, secure = (ThreadingHTTPServer((address, port), Handler) for port in (80, 443))
    # Each connection shakes hands in its own thread.
    secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    Thread(target=plain.serve_forever).start()
    secure.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
