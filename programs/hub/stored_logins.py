"""What the hub keeps of people's logins, encrypted: brought to the newest key before JupyterHub reads it.

So the older keys are needed for one start after a new one is put in front, and no longer.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from database import has_table, mark_of

KEYRING = "keys"
"""By which name it is remembered what the keys were."""


def renew(connection: Any, keys: Sequence[str]) -> tuple[int, int]:
    """Encrypt every stored login that an older key encrypted with the first key.

    `connection` is to SQLite or PostgreSQL, and whoever opened it commits. `keys` are JupyterHub's, of 64 hexadecimal
    digits. Return how many logins were re-encrypted, and how many none of the keys can read; those stay as they are.
    A database that is not made yet has none.
    """
    cursor = connection.cursor()
    renewed, lost = _read(cursor, keys)
    mark = mark_of(cursor)
    if renewed:
        cursor.executemany(f"UPDATE users SET encrypted_auth_state = {mark} WHERE id = {mark}", renewed)
    return len(renewed), lost


def unreadable(connection: Any, keys: Sequence[str]) -> int:
    """Return how many logins none of the keys can read; nothing is changed."""
    return _read(connection.cursor(), keys)[1]


def _read(cursor: Any, keys: Sequence[str]) -> tuple[list[tuple[bytes, int]], int]:
    """Return what an older key encrypted, encrypted with the first one, with its user, and how many logins are lost."""
    if not has_table(cursor, "users"):
        return [], 0
    # As CryptKeeper does (jupyterhub/crypto.py).
    known = [Fernet(urlsafe_b64encode(bytes.fromhex(key))) for key in keys]
    renewed: list[tuple[bytes, int]] = []
    lost = 0
    cursor.execute("SELECT id, encrypted_auth_state FROM users WHERE encrypted_auth_state IS NOT NULL")
    for user, kept in cursor.fetchall():
        stored = bytes(kept)
        if _reads(known[0], stored):
            continue
        try:
            renewed.append((MultiFernet(known).rotate(stored), user))
        except InvalidToken:
            lost += 1
    return renewed, lost


class Keyring:
    """What the hub remembers of its keys from its last start: their names, newest first, and a digest of each."""

    def __init__(self, remembered: Any) -> None:
        """Take what is remembered; None, as anything that is not of this form, is nothing."""
        given = remembered if isinstance(remembered, dict) else {}
        self._before = {str(name): str(digest) for name, digest in given.items()}

    def missing(self, keys: Mapping[str, str]) -> str | None:
        """Return the name of the key that encrypted everything at the last start, if it is not among `keys` any more.

        None where nothing is remembered: the key of a login that cannot be read is then unknown.
        """
        before = self._before
        newest = next(iter(before), None)
        return newest if newest is not None and before[newest] not in map(_digest, keys.values()) else None

    def behind(self, keys: Mapping[str, str]) -> Iterator[str]:
        """Yield the names of new keys that do not stand before the newest of the last start."""
        before = self._before
        known = False
        for name, key in keys.items():
            new = _digest(key) not in before.values()
            if new and known:
                yield name
            known = known or not new


def digests(keys: Mapping[str, str]) -> dict[str, str]:
    """Return what is to be remembered of these keys, newest first."""
    return {name: _digest(key) for name, key in keys.items()}


def refusal(ring: Keyring, keys: Mapping[str, str], lost: int) -> str | None:
    """Return why the hub does not start with these keys, with which it would lose so many logins; None if it may.

    A login of a key that was never the newest is lost anyway.
    """
    wrong = ring.missing(keys) if lost else None
    if not wrong:
        return None
    refused = f"stored logins: the hub does not start, so that {lost} are not lost. {wrong} has encrypted them and "
    gone = "write hub.keys_lost: true for one start; these people then log in again"
    if wrong in keys:
        other = "has another value now, as after the stack's state was lost. If no backup has the old one, "
        return f"{refused}{other}{gone}"
    return (
        f"{refused}is not in hub.keys any more. Name it again: keys: [{', '.join(keys)}, {wrong}]; once the hub has "
        f"started with that, it can be dropped. If the key itself is gone, {gone}"
    )


def _digest(key: str) -> str:
    """Return what tells one key from others: 256 random bits cannot be found from it."""
    return sha256(key.encode()).hexdigest()


def _reads(key: Fernet, stored: bytes) -> bool:
    try:
        key.decrypt(stored)
    except InvalidToken:
        return False
    return True
