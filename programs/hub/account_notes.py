"""What the hub notes beside its database about the accounts that it keeps; shipped to it beside its configuration."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keeping import write_whole


class GeneratedPasswords:
    """Which accounts still have a password that was generated: by a digest of what the database keeps of it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the accounts that had one when this was last noted."""
        return iter([*self._known])

    def has(self, account: Any) -> bool:
        """Return whether an account's password is the generated one: a password that was set since is another."""
        return self._known.get(account.username) == _digest(account.password)

    def note(self, name: str, hashed: bytes) -> None:
        """Note that an account's password is a generated one, by what the database keeps of it."""
        self._write({**self._known, name: _digest(hashed)})

    def forget(self, name: str) -> None:
        """Forget an account that has another password, or is there no more."""
        self._write({each: digest for each, digest in self._known.items() if each != name})

    def _write(self, known: dict[str, str]) -> None:
        if known != self._known:
            write_whole(self._file, known)
            self._known = known


def _digest(hashed: bytes) -> str:
    return hashlib.sha256(hashed).hexdigest()
