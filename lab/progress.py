"""Says what is being done and how long it took: live lines on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_console: Final = Console(stderr=True, highlight=False)


class _Screen:
    """The live lines of all running steps; on the terminal only while there are any, so that other output is free."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: Progress | None = None

    @contextmanager
    def line(self, title: str) -> Iterator[None]:
        with self._lock:
            if self._live is None:
                columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
                self._live = Progress(*columns, console=_console, transient=True)
                self._live.start()
            live, task = self._live, self._live.add_task(title, total=None)
        try:
            yield
        finally:
            with self._lock:
                live.remove_task(task)
                if not live.tasks:
                    live.stop()
                    self._live = None


_screen: Final = _Screen()


def seconds(duration: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s``."""
    if duration < 9.95:
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def say(text: str) -> None:
    """One line on standard error, above the running steps."""
    _console.print(text, markup=False, soft_wrap=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Shows `title` while the block runs, then how long it took or that it failed. Steps nest, and run in threads."""
    begun = time.monotonic()
    try:
        if _console.is_terminal:
            with _screen.line(title):
                yield
        else:
            say(f"           …  {title}")
            yield
    except BaseException:
        say(f"      failed  {title} ({seconds(time.monotonic() - begun)})")
        raise
    say(f"{seconds(time.monotonic() - begun):>12}  {title}")


def release_terminal() -> None:
    """Shows the cursor again, after an interruption has left a live line behind."""
    if _console.is_terminal:
        _console.show_cursor(True)
