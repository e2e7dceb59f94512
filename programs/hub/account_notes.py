"""What the hub notes beside its database about the accounts that it keeps; shipped to it beside its configuration."""

import hashlib
import json
import secrets
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


class Names:
    """Which names were given up, and which accounts have one that was: a home of that name may be the one before's.

    Only those are here, so a site at which no one was deleted or renamed has nothing to note.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._accounts: dict[str, str | None] = json.loads(file.read_text()) if file.exists() else {}

    def account_of(self, name: str) -> str | None:
        """Return what the file server is told of whose home this is; None for who had the name first."""
        return self._accounts.get(name)

    def give_up(self, name: str) -> None:
        """Note that a person who may have a home by this name has it no more."""
        self._write({**self._accounts, name: None})

    def take(self, name: str) -> None:
        """Note that a new account has this name."""
        if self._is_given_up(name):
            self._write({**self._accounts, name: f"native {secrets.token_hex(16)}"})

    def take_back(self, name: str) -> None:
        """Note that the settings give a name to who had it: an administrator's."""
        if self._is_given_up(name):
            self._write({each: account for each, account in self._accounts.items() if each != name})

    def carry_over(self, before: str, name: str) -> dict[str, str | None]:
        """Note that a person has another name; what tells their account from others goes with them.

        Return what to `restore` if they get no other name after all.
        """
        noted = self._accounts
        carried = self._accounts.get(before)
        self.take(name)
        self._write({**self._accounts, before: None, **({name: carried} if carried else {})})
        return noted

    def restore(self, noted: dict[str, str | None]) -> None:
        """Note what was noted before."""
        self._write(noted)

    def _is_given_up(self, name: str) -> bool:
        return name in self._accounts and self._accounts[name] is None

    def _write(self, accounts: dict[str, str | None]) -> None:
        if accounts != self._accounts:
            write_whole(self._file, accounts)
            self._accounts = accounts


def _digest(hashed: bytes) -> str:
    return hashlib.sha256(hashed).hexdigest()
