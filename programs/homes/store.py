"""Homes as directories: made whole or not at all, each with a numeric user id that was never given before."""

import fcntl
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from .names import ACCOUNT_UIDS, HOME, ORGANIZATION_GIDS

NAME: Final = re.compile(HOME)
"""What a home may be called."""
COUNTER: Final = ".next-uid"
UNFINISHED: Final = ".making-"
SYSTEM_UIDS: Final = range(60000, 65536)
"""Ids that belong to nobody(7), to systemd's own users and to the old 16-bit overflow id (systemd's UIDS-GIDS)."""
LAST_UID: Final = 2**31 - 2
ACCOUNTS: Final = ".accounts"
"""The directory with a file for each home that belongs to an account: of an identity provider, its name and number, or
of a hub that keeps accounts, where the name was another person's."""


class NotAHome(Exception):
    """Something else is where the home should be; the message says what."""


@dataclass(frozen=True)
class Home:
    """A home and its owner."""

    directory: str
    """Its name below the root."""
    uid: int
    gid: int


class Homes:
    """The homes below one directory, which is held open: they can only ever be made in the file system that was there
    when this object was."""

    def __init__(self, root: str, first_uid: int) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._first_uid = first_uid
        # A person's own group has their number. Where numbers begin among those of organizations, the site wants that.
        self._above = (ORGANIZATION_GIDS,) if first_uid < ACCOUNT_UIDS.start else ()
        self._reserved = (SYSTEM_UIDS, ACCOUNT_UIDS, *self._above)

    def close(self) -> None:
        """Close the directory."""
        os.close(self._root)

    def make(self, name: str, account: str | None = None, uid: int | None = None) -> tuple[Home, bool]:
        """Return the home of this name, made if there is none, and whether it is new.

        `account` is whose home it is at an identity provider: no other account gets it, whatever that is called. A new
        home gets `uid`, one of `ACCOUNT_UIDS`, or the next that was never given.

        Raises ValueError for a name that no home may have, `NotAHome` where something else has it or it is another
        account's, and OSError when the file system refuses.
        """
        if not NAME.fullmatch(name):
            raise ValueError(name)
        if home := self._find(name):
            self._refuse_another(name, account)
            return home, False
        with self._locked():
            if home := self._find(name):
                self._refuse_another(name, account)
                return home, False
            uid = self._take_uid() if uid is None else self._free(uid, account)
            # Before the home: what a broken `make` leaves is overwritten until the home exists.
            self._record(name, account)
            unfinished = f"{UNFINISHED}{name}"
            os.mkdir(unfinished, 0o700, dir_fd=self._root)
            os.chown(unfinished, uid, uid, dir_fd=self._root, follow_symlinks=False)
            os.rename(unfinished, name, src_dir_fd=self._root, dst_dir_fd=self._root)
            os.fsync(self._root)
            return Home(name, uid, uid), True

    def room(self) -> tuple[int, int]:
        """Return how many bytes people can still write, and how many there are in all."""
        found = os.fstatvfs(self._root)
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize

    def tidy(self) -> None:
        """Remove what an interrupted `make` left: empty directories that are not homes yet."""
        with self._locked():
            for entry in os.listdir(self._root):
                if entry.startswith(UNFINISHED):
                    os.rmdir(entry, dir_fd=self._root)

    def _find(self, name: str) -> Home | None:
        try:
            found = os.stat(name, dir_fd=self._root, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISDIR(found.st_mode):
            raise NotAHome(f"{name} is not a directory: move it away, and a home is made in its place")
        if found.st_uid < self._first_uid:
            raise NotAHome(
                f"{name} belongs to {found.st_uid}, and ids of people begin at {self._first_uid}: "
                "give it and what is in it to a free id of that range with chown -R"
            )
        return Home(name, found.st_uid, self._own_group(found))

    def _own_group(self, found: os.stat_result) -> int:
        """Return the group of a home, or its owner's number where that is a group of several.

        People can give their home to each group that they are in (chgrp), and would be in it after they left it.
        """
        shared = found.st_gid < self._first_uid or any(found.st_gid in gids for gids in self._above)
        return found.st_uid if shared else found.st_gid

    def _refuse_another(self, name: str, account: str | None) -> None:
        recorded = self._account(name)
        if recorded == account:
            return
        if recorded is None:
            raise NotAHome(
                f"{name} was made before the hub asked for accounts, or for who had this name before. If it is this "
                f"person's, write {account!r} into {ACCOUNTS}/{name} beside it; if it is not, move it away, and "
                "a home is made in its place"
            )
        raise NotAHome(f"{name} belongs to another account, {recorded!r}, and not to {account!r}")

    def _account(self, name: str) -> str | None:
        """Return the account that a home belongs to, or None where none is recorded."""
        try:
            handle = os.open(f"{ACCOUNTS}/{name}", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._root)
        except FileNotFoundError:
            return None
        with os.fdopen(handle, encoding="utf-8") as file:
            return file.read().strip()

    def _record(self, name: str, account: str | None) -> None:
        """Write down whose home this will be."""
        if account is None:
            with suppress(FileNotFoundError):
                os.unlink(f"{ACCOUNTS}/{name}", dir_fd=self._root)
            return
        with suppress(FileExistsError):
            os.mkdir(ACCOUNTS, 0o700, dir_fd=self._root)
        beside = f"{ACCOUNTS}/.new"
        _write(self._root, beside, f"{account}\n", 0o600)
        os.rename(beside, f"{ACCOUNTS}/{name}", src_dir_fd=self._root, dst_dir_fd=self._root)

    def _free(self, uid: int, account: str | None) -> int:
        """Return the id of an account, which no home of another account may have.

        What has it and is of no account is a home that was moved away.
        """
        if uid not in ACCOUNT_UIDS or account is None:
            raise ValueError(f"{uid} is not an account's id")
        for entry, found in self._entries():
            if uid in (found.st_uid, found.st_gid) and self._account(entry) not in (None, account):
                raise NotAHome(f"the id of {account!r}, {uid}, is that of {entry}, which belongs to another account")
        return uid

    def _take_uid(self) -> int:
        """Take the next id. It counts as given before anything is made with it: it may be lost, never given twice.

        Homes that were moved here from elsewhere have ids that the counter does not know.
        """
        homes = list(self._entries())
        owned = {number for _, home in homes for number in (home.st_uid, home.st_gid)}
        uid = max(self._counter(home.st_uid for _, home in homes), self._first_uid)
        while uid in owned or self._is_reserved(uid):
            uid = next((ids.stop for ids in self._reserved if uid in ids), uid + 1)
        if uid > LAST_UID:
            raise OSError(f"all numeric user ids up to {LAST_UID} are given")
        beside = f"{COUNTER}.new"
        _write(self._root, beside, f"{uid + 1}\n", 0o644)
        os.rename(beside, COUNTER, src_dir_fd=self._root, dst_dir_fd=self._root)
        os.fsync(self._root)
        return uid

    def _is_reserved(self, uid: int) -> bool:
        return any(uid in ids for ids in self._reserved)

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield what is beside the homes, with them; an administrator may move some of it away meanwhile."""
        for entry in os.listdir(self._root):
            with suppress(FileNotFoundError):
                yield entry, os.stat(entry, dir_fd=self._root, follow_symlinks=False)

    def _counter(self, owners: Iterable[int]) -> int:
        """Return what the counter says; where it is lost, one more than the greatest id that a home has."""
        try:
            handle = os.open(COUNTER, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._root)
        except FileNotFoundError:
            return 1 + max((uid for uid in owners if uid <= LAST_UID and not self._is_reserved(uid)), default=0)
        with os.fdopen(handle, encoding="ascii") as file:
            text = file.read()
        if not re.fullmatch(r"[0-9]{1,10}\n", text):
            raise OSError(f"{COUNTER} holds {text[:20]!r}, not a number: write one that is above every id given so far")
        return int(text)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # A descriptor of its own: threads that shared one would share the lock (flock(2)).
        handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._root)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _write(root: int, name: str, text: str, mode: int) -> None:
    """Write a file below a directory, and see it on the disk."""
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode, dir_fd=root)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
