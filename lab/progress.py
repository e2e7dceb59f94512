"""Shows what is being done, how long it took and how long is left: live on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from lab.estimate import UNKNOWN_SECONDS, Estimate, about, weights

_console: Final = Console(stderr=True, highlight=False, emoji=False)


class _Left(ProgressColumn):
    """How long the plan still takes, at the end of the first line; renders nothing without a plan."""

    def render(self, task: Task) -> Text:
        left = _screen.left() if _screen.is_first(task) else ""
        return Text(f"{left} left in all" if left else "", style="dim")


class _Screen:
    """The live lines of all running steps; on the terminal only while there are any, so that other output is free."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: Progress | None = None
        # A lock of its own: the thread that draws asks for the estimate, and is waited for under the other lock.
        self._plan_lock = threading.Lock()
        self._plan: Estimate | None = None

    @contextmanager
    def plan(self, stages: Mapping[str, float]) -> Iterator[Estimate]:
        """Give a number to each step that is a stage of this plan, and estimate how long all of it takes."""
        outer, self._plan = self._plan, Estimate(stages, time.monotonic())
        try:
            yield self._plan
        finally:
            self._plan = outer

    def left(self) -> str:
        """Words for the time that the plan still takes; empty without a plan, and at its end."""
        with self._plan_lock:
            left = self._plan.left(time.monotonic()) if self._plan else 0.0
        return about(left) if left else ""

    def is_first(self, task: Task) -> bool:
        """Whether the task's line is the uppermost."""
        live = self._live
        return live is not None and bool(live.tasks) and live.tasks[0].id == task.id

    @contextmanager
    def stage(self, stage: str | None) -> Iterator[str]:
        """Count the stage of the plan while the block runs; yield its number in words, such as ``[ 3/17] ``."""
        plan = self._plan
        if plan is None or stage is None:
            yield ""
            return
        with self._plan_lock:
            number = plan.begin(stage, time.monotonic())
        yield f"[{number:2}/{plan.total}] "
        with self._plan_lock:
            plan.end(stage, time.monotonic())

    @contextmanager
    def line(self, title: str) -> Iterator[Callable[[str], None]]:
        """Show a live line while the block runs; yield a function that adds a word to the line."""
        with self._lock:
            if self._live is None:
                text = TextColumn("{task.description}", markup=False)
                self._live = Progress(
                    SpinnerColumn(), TimeElapsedColumn(), text, _Left(), console=_console, transient=True
                )
                self._live.start()
            live, task = self._live, self._live.add_task(title, total=None)
        try:
            yield lambda word: live.update(task, description=f"{title}: {word}")
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
    """Print one line on standard error, above the running steps."""
    _console.print(text, markup=False, soft_wrap=True)


@contextmanager
def plan(stages: Iterable[str]) -> Iterator[Estimate]:
    """Give a number to each step in the block that is a stage of this plan, and say how long all of them still take.

    A stage is named as in the table of weights; a colon and a name may follow, to tell it from others of its kind.
    """
    table = weights()
    with _screen.plan({stage: table.get(stage.partition(":")[0], UNKNOWN_SECONDS) for stage in stages}) as estimate:
        yield estimate


@contextmanager
def step(title: str, stage: str | None = None) -> Iterator[Callable[[str], None]]:
    """Show `title` while the block runs, then how long it took or that it failed. Steps nest, and run in threads.

    The block is given a function that shows a word of detail behind the title, on a terminal only. `stage` is the
    step's name in the table of weights; a step that is a stage of the running plan has a number.
    """
    begun = time.monotonic()
    with _screen.stage(stage) as number:
        try:
            if _console.is_terminal:
                with _screen.line(number + title) as detail:
                    yield detail
            else:
                say(f"           …  {number}{title}")
                yield lambda word: None
        except BaseException:
            say(f"      failed  {number}{title} ({seconds(time.monotonic() - begun)})")
            raise
    left = _screen.left() if number else ""
    say(f"{seconds(time.monotonic() - begun):>12}  {number}{title}{f' ({left} left)' if left else ''}")


def release_terminal() -> None:
    """Show the cursor again, after an interruption has left a live line behind."""
    if _console.is_terminal:
        _console.show_cursor(True)
