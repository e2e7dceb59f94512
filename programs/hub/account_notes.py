"""What the hub notes about the accounts that it keeps; shipped to it beside its configuration."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from database import SessionCursor
from keeping import write_whole
from memory import Memory


class GeneratedPasswords:
    """Which accounts still have a password that was generated: by a digest of what the database keeps of it.

    It is noted in the transaction of the accounts themselves, which whoever notes it commits.
    """

    def __init__(self, db: Any, memory: Memory) -> None:
        self._db, self._memory = db, memory

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the accounts that had one when this was last noted."""
        return iter([*self._known()])

    def has(self, account: Any) -> bool:
        """Return whether an account's password is the generated one: a password that was set since is another."""
        return self._known().get(account.username) == _digest(account.password)

    def note(self, name: str, hashed: bytes) -> None:
        """Note that an account's password is a generated one, by what the database keeps of it."""
        self._keep({**self._known(), name: _digest(hashed)})

    def forget(self, name: str) -> None:
        """Forget an account that has another password, or is there no more."""
        self._keep({each: digest for each, digest in self._known().items() if each != name})

    def _known(self) -> dict[str, str]:
        return dict(self._memory.recall(SessionCursor(self._db)) or {})

    def settle(self) -> None:
        """See to it that the database has what a file of before may have had; it is called at a start."""
        self._keep(self._known())

    def _keep(self, known: dict[str, str]) -> None:
        self._memory.keep(SessionCursor(self._db), known)


class Names:
    """Which names were given up, and which accounts have one that was: a home of that name may be the one before's.

    Which account is whose is in the database, with the accounts. That a name was given up is about homes, which no
    copy of the database brings back as they were: that is in a file beside it, the same for every database. Only those
    are noted, so a site at which no one was deleted or renamed has nothing to note.
    """

    def __init__(self, db: Any, memory: Memory, file: Path) -> None:
        """Note accounts in `memory`, in the transaction of the accounts themselves, and names in `file`.

        Older henhouses had both in a file of each database (`memory.file`), which for SQLite is this one.
        """
        self._db, self._memory = db, memory
        self._files = tuple({file: None, memory.file: None})

    def settle(self, accounts: Iterable[str]) -> None:
        """See to it that the database says of each of its accounts whose homes it may have; it is called at a start.

        A copy from before it did so does not say which person of a name that was given up the account is: it gets
        another sign, so that the file server gives it no home until it is told whose that is.

        A site may have gone back to an older henhouse meanwhile: a sign that it has noted is the account's. It is none
        of those that `replace_signs` left.
        """
        known = self._memory.stored(SessionCursor(self._db))
        noted = {name: sign for file in self._files for name, sign in _noted(file).items()}
        if known is None:
            self._keep({name: noted[name] or _sign() for name in accounts if name in noted})
            return
        since = {name: sign for name in accounts if (sign := noted.get(name)) and sign != _in_place_of(known.get(name))}
        self._keep({**known, **since})

    def replace_signs(self) -> None:
        """Replace the signs of accounts in the files by others: the database has them now.

        Raise OSError where the disk does not take it.
        """
        known = self._known()
        for file in self._files:
            noted = _noted(file)
            if any(sign and sign == known.get(name) for name, sign in noted.items()):
                replaced = {
                    name: _in_place_of(sign) if sign == known.get(name) else sign for name, sign in noted.items()
                }
                write_whole(file, replaced)

    def account_of(self, name: str) -> str | None:
        """Return what the file server is told of whose home this is; None for who had the name first."""
        return self._known().get(name)

    def give_up(self, name: str) -> None:
        """Note that a person who may have a home by this name has it no more. Raise OSError where that fails."""
        for file in self._files:
            noted = _noted(file)
            # Also in that of an older henhouse, and without the sign of whoever had the name in it.
            if (file == self._files[0] or file.exists()) and noted.get(name, name) is not None:
                write_whole(file, {**noted, name: None})
        self._keep({each: sign for each, sign in self._known().items() if each != name})

    def take(self, name: str) -> None:
        """Note that a new account has this name."""
        if self.is_given_up(name):
            self._keep({**self._known(), name: _sign()})

    def take_back(self, name: str) -> None:
        """Note that the settings give a name to who had it: an administrator's. Raise OSError where that fails."""
        self._keep({each: sign for each, sign in self._known().items() if each != name})
        for file in self._files:
            if name in (noted := _noted(file)):
                write_whole(file, {each: sign for each, sign in noted.items() if each != name})

    def carry_over(self, before: str, name: str) -> None:
        """Note that a person has another name; what tells their account from others goes with them."""
        carried = self._known().get(before)
        self.give_up(before)
        self.take(name)
        if carried:
            self._keep({**self._known(), name: carried})

    def is_given_up(self, name: str) -> bool:
        """Return whether this name was another's before."""
        return any(name in _noted(file) for file in self._files)

    def _known(self) -> dict[str, str]:
        return dict(self._memory.stored(SessionCursor(self._db)) or {})

    def _keep(self, accounts: Mapping[str, str]) -> None:
        self._memory.keep(SessionCursor(self._db), {**accounts})


def _noted(file: Path) -> dict[str, str | None]:
    """Return the names of a file, with the sign of an account where an older henhouse kept it there."""
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _sign() -> str:
    return f"native {secrets.token_hex(16)}"


def _in_place_of(sign: str | None) -> str | None:
    """Return what stands in a file for a sign that the database has: the same each time, and no account's."""
    return sign and f"native {_digest(sign.encode())[:32]}"


def _digest(hashed: bytes) -> str:
    return hashlib.sha256(hashed).hexdigest()
