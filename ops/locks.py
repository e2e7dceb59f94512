"""Locks on a stack's state in a file backend, and the ones that engines leave behind when they are killed.

The engine writes one file per running update (pulumi/pkg/backend/diy/lock.go) and knows no time limit: a lock stays
until its update ends, or until `pulumi cancel`.
"""

import json
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from stacks.file import NAMESPACE, setting

_ENGINE: Final = "pulumi"


@dataclass(frozen=True)
class Lock:
    """One lock."""

    file: Path
    pid: int
    """The engine's process; 0 when the file does not say."""
    host: str
    since: str

    def __str__(self) -> str:
        return f"pulumi, process {self.pid} on {self.host}, since {self.since}"

    @property
    def stale(self) -> bool:
        """Whether its engine ran on this computer and does not any more. A file that says nothing was cut short."""
        if not self.pid:
            return True
        return self.host == socket.gethostname() and not _runs(self.pid)


def directory(backend: str) -> Path | None:
    """Return the directory of a backend's address when it is one of this computer's; None for any other."""
    parts = urlsplit(backend)
    return Path(unquote(parts.path)).expanduser() if parts.scheme == "file" else None


def held(backend: Path, stack: str) -> list[Lock]:
    """Return the locks on a stack, by age, stale ones too."""
    return sorted(_locks(backend, stack), key=lambda lock: lock.since)


def remove_stale(backend: Path, stack: str) -> list[Lock]:
    """Remove the locks whose engine is gone, and return them.

    Only for a state that no other computer works on: two computers may go by one name.
    """
    # By the process alone: a computer may have been given another name since.
    gone = [lock for lock in held(backend, stack) if not _runs(lock.pid)]
    for lock in gone:
        lock.file.unlink(missing_ok=True)
    return gone


def of_backend(stack: str) -> list[Lock]:
    """Return the locks on a stack in the backend of the environment; of a state that is kept elsewhere, none."""
    backend = directory(os.environ.get("PULUMI_BACKEND_URL", ""))
    return held(backend, stack) if backend else []


def meaning(lock: Lock, stack: str) -> str:
    """Say what the lock means for people who look at the stack meanwhile."""
    if lock.stale:
        return f"an update of {stack} was killed and left its lock ({lock}): `pulumi cancel --stack {stack}` removes it"
    return f"an update of {stack} is running ({lock}): what it is about to change shows as drift"


def unlock(stack: str) -> int:
    """Remove the locks that killed engines left on a rack's stack, and say so; on any other, say how; an exit status.

    0 when the stack is free, 1 when it is locked still.
    """
    backend = directory(os.environ.get("PULUMI_BACKEND_URL", ""))
    if backend and of_a_rack(stack):
        for lock in remove_stale(backend, stack):
            print(f"removed the lock of an update that was killed ({lock})", file=sys.stderr)
    left = of_backend(stack)
    for lock in left:
        print(meaning(lock, stack), file=sys.stderr)
    return 1 if left else 0


def of_a_rack(stack: str) -> bool:
    """Whether the stack's settings say that it is a lab's: then no other computer works on it."""
    return str(setting(stack, "lab")).lower() == "true"


def _locks(backend: Path, stack: str) -> Iterator[Lock]:
    for file in (backend / ".pulumi/locks/organization" / NAMESPACE / stack).glob("*.json"):
        try:
            content = json.loads(file.read_text())
            yield Lock(file, int(content["pid"]), str(content["hostname"]), str(content["timestamp"])[:19])
        except FileNotFoundError:  # released meanwhile
            continue
        except (ValueError, KeyError, TypeError):
            yield Lock(file, 0, "an unknown computer", "an unknown time")


def _runs(pid: int) -> bool:
    """Whether the process is an engine: the number of one that has ended may be another program's by now."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
    except OSError:
        return False
    return name == _ENGINE and rest.split()[0] not in "ZX"
