"""Homes as directories: made whole or not at all, each with a numeric user id that was never given before."""

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from .names import HOME

NAME: Final = re.compile(HOME)
"""What a home may be called."""
COUNTER: Final = ".next-uid"
UNFINISHED: Final = ".making-"
RESERVED: Final = range(60000, 65536)
"""Ids that belong to nobody(7), to systemd's own users and to the old 16-bit overflow id (systemd's UIDS-GIDS)."""
LAST_UID: Final = 2**31 - 1


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

    def close(self) -> None:
        """Close the directory."""
        os.close(self._root)

    def make(self, name: str) -> tuple[Home, bool]:
        """Return the home of this name, made if there is none, and whether it is new.

        Raises ValueError for a name that no home may have, `NotAHome` where something else has it, and OSError when
        the file system refuses.
        """
        if not NAME.fullmatch(name):
            raise ValueError(name)
        if home := self._find(name):
            return home, False
        with self._locked():
            if home := self._find(name):
                return home, False
            uid = self._take_uid()
            unfinished = f"{UNFINISHED}{name}"
            os.mkdir(unfinished, 0o700, dir_fd=self._root)
            os.chown(unfinished, uid, uid, dir_fd=self._root, follow_symlinks=False)
            os.rename(unfinished, name, src_dir_fd=self._root, dst_dir_fd=self._root)
            os.fsync(self._root)
            return Home(name, uid, uid), True

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
        if min(found.st_uid, found.st_gid) < self._first_uid:
            raise NotAHome(
                f"{name} belongs to {found.st_uid}:{found.st_gid}, and ids of people begin at {self._first_uid}: "
                "give it and what is in it to a free id of that range with chown -R"
            )
        return Home(name, found.st_uid, found.st_gid)

    def _take_uid(self) -> int:
        """Take the next id. It counts as given before anything is made with it: it may be lost, never given twice."""
        uid = max(self._counter(), self._first_uid)
        if uid in RESERVED:
            uid = RESERVED.stop
        if uid > LAST_UID:
            raise OSError(f"all numeric user ids up to {LAST_UID} are given")
        beside = f"{COUNTER}.new"
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644, dir_fd=self._root)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{uid + 1}\n")
            file.flush()
            os.fsync(file.fileno())
        os.rename(beside, COUNTER, src_dir_fd=self._root, dst_dir_fd=self._root)
        os.fsync(self._root)
        return uid

    def _counter(self) -> int:
        """Return what the counter says; where it is lost, one more than the greatest id that a home has."""
        try:
            handle = os.open(COUNTER, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._root)
        except FileNotFoundError:
            owners = [os.stat(entry, dir_fd=self._root, follow_symlinks=False) for entry in os.listdir(self._root)]
            return 1 + max((owner.st_uid for owner in owners), default=0)
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
