"""Tables for people, on a terminal of any width and in files."""

import sys
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

UNLIMITED: Final = 10_000
"""Columns of what is not a terminal: a table there is as wide as its content."""


def console(file: TextIO | None = None) -> Console:
    """A console on `file` (default: standard output) that cuts nothing where nobody's window is too narrow."""
    to = file or sys.stdout
    return Console(file=to, width=None if to.isatty() else UNLIMITED, highlight=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table whose cells are plain text, whatever brackets are in it. On a terminal long ones take several lines."""
    found = Table()
    for column in columns:
        found.add_column(column, overflow="fold")
    for row in rows:
        found.add_row(*map(Text, row))
    return found
