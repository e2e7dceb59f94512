"""What the hub keeps of people's logins, encrypted: brought to the newest key before JupyterHub reads it.

So the older keys are needed for one start after a new one is put in front, and no longer.
"""

import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


def renew(database: Path, keys: Sequence[str]) -> tuple[int, int]:
    """Encrypt every stored login that an older key encrypted with the first key, in one transaction.

    `keys` are JupyterHub's, of 64 hexadecimal digits. Return how many logins were encrypted anew, and how many none of
    the keys can read; those stay as they are. A database that is not there, or not made yet, has none.
    """
    if not database.exists():
        return 0, 0
    # As CryptKeeper does (jupyterhub/crypto.py).
    known = [Fernet(urlsafe_b64encode(bytes.fromhex(key))) for key in keys]
    renewed: list[tuple[bytes, int]] = []
    lost = 0
    with closing(sqlite3.connect(database)) as connection, connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'users'").fetchone():
            return 0, 0
        rows = "SELECT id, encrypted_auth_state FROM users WHERE encrypted_auth_state IS NOT NULL"
        for user, stored in connection.execute(rows).fetchall():
            if _reads(known[0], stored):
                continue
            try:
                renewed.append((MultiFernet(known).rotate(stored), user))
            except InvalidToken:
                lost += 1
        connection.executemany("UPDATE users SET encrypted_auth_state = ? WHERE id = ?", renewed)
    return len(renewed), lost


def _reads(key: Fernet, stored: bytes) -> bool:
    try:
        key.decrypt(stored)
    except InvalidToken:
        return False
    return True
