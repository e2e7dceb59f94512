"""The rack's SSH keys. They are derived, not secret: whoever can reach the rack's network already is root on its host.

Deriving them lets a stack's file pin the host keys of a rack that does not exist yet.
"""

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

ADMINISTRATOR: Final = "administrator"


def _key(owner: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(
        hashlib.sha256(f"henhouse lab, not a secret: {owner}".encode()).digest()
    )


def public_key(owner: str) -> str:
    """``ssh-ed25519 AAAA…`` of a machine or of `ADMINISTRATOR`, without a comment."""
    return _key(owner).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def private_key(owner: str) -> bytes:
    """Return the private key of a machine or of `ADMINISTRATOR`, in OpenSSH's format.

    Each call's text differs (by a random check number); the key is the same.
    """
    return _key(owner).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
