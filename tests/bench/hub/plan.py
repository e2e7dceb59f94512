"""Who comes when, and what is made of what they met: pure."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

RUDE_SHARE: Final = 5
"""Every so many-th person is rude."""
LARGEST: Final = 20_000
"""More people than addresses of simulated pods that a computer can wait for."""


@dataclass(frozen=True)
class Arrival:
    """One person's coming."""

    name: str
    after: float
    """Seconds from the beginning."""
    rude: bool
    """Logs in again in a storm, with a browser that remembers nothing, and never logs out."""


def arrivals(people: int, within: float, *, first: int = 0, seed: int = 1) -> tuple[Arrival, ...]:
    """Return the people in the order in which they come: the first at once, the last before `within` seconds are over.

    They come as to a lecture, most of them in the middle of that time. `first` is the number in the first
    person's name. The same `seed` gives the same times: two runs are comparable.
    """
    chance = random.Random(seed)
    times = sorted(chance.triangular(0, within) for _ in range(people))
    numbers = range(first, first + people)
    return tuple(
        Arrival(f"person{number:04}", 0 if number == first else after, number % RUDE_SHARE == 0)
        for number, after in zip(numbers, times, strict=True)
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest of the values that so many percent of them do not exceed (nearest rank).

    ValueError without values: nothing was measured, which is not a time of 0.
    """
    if not values:
        raise ValueError("nothing was measured: it has no percentile")
    if not 0 < percent <= 100:
        raise ValueError(f"{percent} is not a percentage above 0 and up to 100")
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def nodes_for(people: int, pods: int) -> int:
    """Return how many nodes with room for `pods` pods user servers need; one more, as a site has one to spare."""
    return -(-people // pods) + 1
