"""Whether a component answers, and which certificate it shows."""

import http.client
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .spec import Component

SECONDS: Final = 10


def complaint(component: Component, *, shown: bool = True) -> str | None:
    """Return why a component is not well, None when it is. With `shown` it also has to show the file's certificate."""
    shows = Path(component.shows) if shown and component.shows else None
    try:
        return _ask(component.url, _context(component), shows)
    except (OSError, http.client.HTTPException) as error:
        return f"{component.url}: {error}"


def peer_complaint(url: str) -> str | None:
    """Return why another control plane's API server is not well, None when it is."""
    try:
        return _ask(f"{url}/readyz", _unverified(), None)
    except (OSError, http.client.HTTPException) as error:
        return f"{url}: {error}"


def _ask(url: str, context: ssl.SSLContext, shows: Path | None) -> str | None:
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=SECONDS, context=context)
    try:
        connection.connect()
        if shows is not None and _shown(connection) != ssl.PEM_cert_to_DER_cert(_first(shows)):
            return f"{url} still shows another certificate than {shows} holds"
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        answer.read()
        return None if answer.status == http.client.OK else f"{url} answers {answer.status}"
    finally:
        connection.close()


def _shown(connection: http.client.HTTPSConnection) -> bytes | None:
    socket = connection.sock
    return socket.getpeercert(binary_form=True) if isinstance(socket, ssl.SSLSocket) else None


def _first(path: Path) -> str:
    text = path.read_text(encoding="ascii")
    end = "-----END CERTIFICATE-----"
    return text[: text.index(end) + len(end)] + "\n"


def _context(component: Component) -> ssl.SSLContext:
    context = _unverified()
    if component.authority:
        context.load_verify_locations(component.authority)
        context.verify_mode = ssl.CERT_REQUIRED
    if component.client:
        context.load_cert_chain(f"{component.client}.crt", f"{component.client}.key")
    return context


def _unverified() -> ssl.SSLContext:
    """Accept any certificate, of any name: the server is on this machine, or only its health is read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
