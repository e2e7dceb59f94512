"""What `make up` ends with: one address that opens here, how to trust it, how to log in, and what to try next."""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from lab.rack import Door, Rack, RackError

_WAIT_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 1.0


def wait_for_login_page(rack: Rack, outputs: Mapping[str, Any]) -> None:
    """Return when the login page answers at the address that people are told; RackError when it does not in time."""
    if rack.door is None:
        return
    deadline = time.monotonic() + _WAIT_SECONDS
    while (answer := ask(rack.door, str(outputs["ca_certificate"]))) != "200":
        if time.monotonic() > deadline:
            raise RackError(f"{rack.door.url} does not show the login page after {_WAIT_SECONDS:.0f} s: {answer}")
        time.sleep(_POLL_SECONDS)


def ask(door: Door, authority: str) -> str:
    """Ask for the login page through the door, as a browser on this computer would; return its status or what is wrong.

    The certificate has to be good for the name in the address, and signed by `authority` (PEM).
    """
    url = urlsplit(door.url)
    address, _, port = door.listen.partition(":")
    trust = ssl.create_default_context(cadata=authority)
    try:
        with (
            socket.create_connection((address, int(port)), timeout=10) as plain,
            trust.wrap_socket(plain, server_hostname=url.hostname) as tls,
        ):
            connection = http.client.HTTPConnection(str(url.hostname), int(port))
            connection.sock = tls
            connection.request("GET", "/hub/login", headers={"Host": url.netloc})
            return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__


def show(rack: Rack, outputs: Mapping[str, Any]) -> None:
    """Print the welcome on standard output, and write the authority's certificate beside the rack's state."""
    authority = rack.state / "authority.crt"
    authority.write_text(str(outputs["ca_certificate"]))
    address = rack.door.url if rack.door else str(outputs["hub_url"])
    print(text(address, str(outputs["login"]), authority, fingerprint(authority)), flush=True)


def text(address: str, login: str, authority: Path, digest: str) -> str:
    """Return the text of the welcome."""
    return f"""
The hub is up. In a browser on this computer, open

    {address}

  certificate  Signed by the rack's own authority. Accept the browser's warning, or import
               {authority} as an authority
               (SHA-256 {digest})
  log in with  {login}

What to try next:

  make drift   after breaking something: .venv/bin/python -m lab ssh chick1 systemctl stop prometheus-node-exporter
               then `make repair` mends it
  make shell   a shell in which `pulumi` works on the stack and reaches its machines
  make down    removes all of it
"""


def fingerprint(authority: Path) -> str:
    """SHA-256 of the certificate, as browsers show it."""
    digest = x509.load_pem_x509_certificate(authority.read_bytes()).fingerprint(hashes.SHA256())
    return ":".join(f"{byte:02X}" for byte in digest)
