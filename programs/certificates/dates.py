"""From when and until when certificates are valid, read by `openssl x509` (openssl-x509(1))."""

import base64
import re
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----\s.+?-----END CERTIFICATE-----", re.DOTALL)
_EMBEDDED: Final = re.compile(r"^\s*client-certificate-data:\s*(\S+)\s*$", re.MULTILINE)
"""A certificate inside a kubeconfig, in the form that kubeadm writes it."""
_NAMED: Final = re.compile(r"^\s*client-certificate:\s*(\S+)\s*$", re.MULTILINE)


class Unreadable(Exception):
    """A file holds no certificate that openssl can read; the message names the file."""


@dataclass(frozen=True)
class Validity:
    """The time in which a certificate is valid, in seconds since 1970."""

    begins: int
    ends: int

    @property
    def lifetime(self) -> int:
        """How long it is valid altogether."""
        return self.ends - self.begins


def validity(path: Path) -> Validity | None:
    """Return the validity of a file's certificates, None when the file does not exist.

    The file is PEM or a kubeconfig. Of several certificates the one that ends first counts.
    """
    try:
        text = _certificates_of(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path}: {error}") from None
    found = [_dates(path, block) for block in _PEM.findall(text)]
    if not found:
        raise Unreadable(f"{path} holds no certificate")
    return min(found, key=lambda each: each.ends)


def _certificates_of(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if embedded := _EMBEDDED.search(text):
        return base64.b64decode(embedded[1], validate=True).decode()
    if named := _NAMED.search(text):
        return Path(named[1]).read_text(encoding="utf-8")
    return text


def _dates(path: Path, pem: str) -> Validity:
    done = subprocess.run(
        ["openssl", "x509", "-noout", "-startdate", "-enddate"], input=pem, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Unreadable(f"{path}: openssl cannot read the certificate: {done.stderr.strip().splitlines()[0]}")
    dates = dict(line.split("=", 1) for line in done.stdout.splitlines())
    return Validity(ssl.cert_time_to_seconds(dates["notBefore"]), ssl.cert_time_to_seconds(dates["notAfter"]))
