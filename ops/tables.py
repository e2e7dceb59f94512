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
    """Return a console on `file` (default: standard output) that cuts nothing off when it is not a terminal."""
    to = file or sys.stdout
    return Console(file=to, width=None if to.isatty() else UNLIMITED, highlight=False, emoji=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return a table of plain text, whatever brackets are in it. On a terminal, long cells take several lines."""
    found = Table()
    for column in columns:
        found.add_column(column, overflow="fold")
    for row in rows:
        found.add_row(*map(Text, row))
    return found
