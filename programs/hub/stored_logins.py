"""What the hub keeps of people's logins, encrypted: brought to the newest key before JupyterHub reads it.

So the older keys are needed for one start after a new one is put in front, and no longer.
"""

import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


def renew(connection: Any, keys: Sequence[str]) -> tuple[int, int]:
    """Encrypt every stored login that an older key encrypted with the first key.

    `connection` is to SQLite or PostgreSQL, and whoever opened it commits. `keys` are JupyterHub's, of 64 hexadecimal
    digits. Return how many logins were encrypted anew, and how many none of the keys can read; those stay as they are.
    A database that is not made yet has none.
    """
    cursor = connection.cursor()
    if not _has_users(cursor):
        return 0, 0
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
    mark = "?" if isinstance(cursor, sqlite3.Cursor) else "%s"
    cursor.executemany(f"UPDATE users SET encrypted_auth_state = {mark} WHERE id = {mark}", renewed)
    return len(renewed), lost


def _has_users(cursor: Any) -> bool:
    if isinstance(cursor, sqlite3.Cursor):
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'users'")
    else:
        cursor.execute("SELECT to_regclass('users')")
    found = cursor.fetchone()
    return bool(found and found[0])


def _reads(key: Fernet, stored: bytes) -> bool:
    try:
        key.decrypt(stored)
    except InvalidToken:
        return False
    return True
