"""What a check is."""

from collections.abc import Callable, Iterator

from stacks.problems import Problem
from stacks.settings import Site

Check = Callable[[Site], Iterator[Problem]]
"""Reads the whole tree of settings and yields what is wrong with it."""
