"""How long a series of stages still takes, from a table of what each took once, corrected by how it goes today."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).with_name("weights.toml")
UNKNOWN_SECONDS: Final = 5.0
"""Weight of a stage that is not in the table."""
_TRUST_SECONDS: Final = 60.0
"""The table counts as much as this many seconds of what is observed today."""
_NEARLY: Final = 0.95
"""A stage that still runs counts as this far at most."""


def weights() -> dict[str, float]:
    """Return the committed table of the seconds of each stage.

    Stages that ran side by side share the seconds between them.
    """
    table: dict[str, float] = tomllib.loads(TABLE.read_text())["seconds"]
    return table


class Estimate:
    """The stages of one run. Times are in seconds of any clock that does not jump, and never go back."""

    def __init__(self, stages: Mapping[str, float], now: float) -> None:
        """`stages` are the weights of the stages to come, in any order."""
        self._weights = dict(stages)
        self._begun, self._last = now, now
        self._running: list[str] = []
        self._done: set[str] = set()
        self.shares: dict[str, float] = {}
        """Seconds of each stage so far; those of stages side by side are divided among them."""

    @property
    def total(self) -> int:
        """How many stages there are."""
        return len(self._weights)

    def begin(self, stage: str, now: float) -> int:
        """Count the stage as running from now on. Return its number, counted from 1 in the order of beginning."""
        self._share(now)
        self._running.append(stage)
        self.shares.setdefault(stage, 0.0)
        self._weights.setdefault(stage, UNKNOWN_SECONDS)
        return list(self.shares).index(stage) + 1

    def end(self, stage: str, now: float) -> None:
        """Count the stage as done."""
        self._share(now)
        self._running.remove(stage)
        self._done.add(stage)

    def left(self, now: float) -> float:
        """Seconds until all are done, never negative."""
        self._share(now)
        behind = sum(self._passed(stage) for stage in self._weights)
        pace = (now - self._begun + _TRUST_SECONDS) / (behind + _TRUST_SECONDS)
        return max(0.0, (sum(self._weights.values()) - behind) * pace)

    def _passed(self, stage: str) -> float:
        if stage in self._done:
            return self._weights[stage]
        return min(self.shares.get(stage, 0.0), _NEARLY * self._weights[stage])

    def _share(self, now: float) -> None:
        for stage in self._running:
            self.shares[stage] += (now - self._last) / len(self._running)
        self._last = now


def about(duration: float) -> str:
    """``about 12 min``; ``less than a minute``."""
    minutes = round(duration / 60)
    return f"about {minutes} min" if duration >= 60 else "less than a minute"
