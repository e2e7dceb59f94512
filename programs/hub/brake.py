"""A brake for the day on which the provider says no about many people at once; shipped to the hub beside membership.

An organization that was renamed, a team that was deleted by mistake, an edit of a list: each is a true no about nearly
everybody, and would stop all servers in one round. With the brake they run on for a while, in which administrators can
see to it. It is a delay with an end: for each person it counts from the first no about them.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

REFUSED: Final = "refused"
"""Kept beside a login: since when the answer about its person is no. The next yes takes it away."""
FEW: Final = 4
"""So many people are put out in one round on any hub: all of a small one may leave, as a course that ends does."""
SHARE: Final = 0.2
"""So large a part of everybody does not leave between two rounds, unless something happened to all."""


@dataclass(frozen=True)
class Held:
    """What the brake holds."""

    people: tuple[str, ...]
    """Whose servers run on."""
    refused: int
    """About how many people the provider says no: the time of some of them may be over."""
    answers: int
    """About how many it says anything."""
    until: float
    """When the first of these servers is stopped."""


class Brake:
    """Keeps servers of refused people running, where there are many of them, for so many seconds."""

    held: Held | None = None
    """What it holds since the last round; None while it is off."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._counted: dict[str, float] = {}
        """Since when the people of the last round are refused, while it holds."""

    def let_go(self, since: Mapping[str, float], vouched_for: Collection[str]) -> list[str]:
        """Return who is put out after this round, and hold the others.

        `since` says since when the provider refuses each person that it refuses; `vouched_for` are those that it
        said yes about.
        """
        now, answers = time.time(), len(since) + len(vouched_for)
        # Whose server has ended meanwhile counts until their time is over. Otherwise the others would be few, and out,
        # for no yes about anyone.
        ended = {
            name: first
            for name, first in self._counted.items()
            if name not in since and name not in vouched_for and now < first + self._seconds
        }
        kept: dict[str, float] = {}
        if len(since) + len(ended) > max(FEW, SHARE * (answers + len(ended))):
            # A first no that is still to come is by a clock that was wrong, and would hold for longer.
            ends = {name: first + self._seconds for name, first in since.items() if first <= now}
            kept = {name: end for name, end in ends.items() if now < end}
        self._counted = {**ended, **since} if kept else {}
        self.held = Held(tuple(sorted(kept)), len(since), answers, min(kept.values())) if kept else None
        return [name for name in since if name not in kept]
