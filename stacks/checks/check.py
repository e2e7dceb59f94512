"""What a check is, and what several of them ask."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from stacks.problems import Problem
from stacks.settings import Site

Check = Callable[[Site], Iterator[Problem]]
"""Reads the whole tree of settings and yields what is wrong with it."""

Value = TypeVar("Value")


def repeated(values: Sequence[Value]) -> Iterator[tuple[int, Value]]:
    """Yield each value that an earlier one equals, with its place."""
    return ((place, value) for place, value in enumerate(values) if value in values[:place])
