"""Waiting for a server of ours to come up."""

import time
from collections.abc import Callable
from pathlib import Path

from lab.rack import RackError


def wait_until(
    ready: Callable[[], bool], *, alive: Callable[[], bool], what: str, log: Path, seconds: float = 20.0
) -> None:
    """Return when `ready`; raise RackError with the end of `log` when `what` has ended or is too slow."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not alive():
            raise RackError(f"{what} ended before it was ready; its log ends: {_tail(log)}")
        if time.monotonic() > deadline:
            raise RackError(f"{what} was not ready after {seconds:.0f} s; its log ends: {_tail(log)}")
        time.sleep(0.1)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:].strip() or "(empty)"
