"""Tables that lose nothing."""

import io

import pytest
from rich.console import Console

from ops.tables import console, table

LONG = "file /etc/systemd/system/zfs-import-nest.service " * 8


def test_a_file_gets_whole_cells_in_one_line() -> None:
    file = io.StringIO()
    console(file).print(table(("item",), [(LONG,)]))
    assert LONG.strip() in file.getvalue()


@pytest.mark.parametrize("width", [40, 80])
def test_a_narrow_terminal_gets_every_letter(width: int) -> None:
    file = io.StringIO()
    Console(file=file, width=width).print(table(("host", "item"), [("hen", LONG)]))
    shown = "".join(letter for letter in file.getvalue() if letter.isalnum())
    assert shown.count("zfsimportnest") == 8
    assert "…" not in file.getvalue()


def test_brackets_are_not_markup() -> None:
    file = io.StringIO()
    console(file).print(table(("found",), [("[red]",)]))
    assert "[red]" in file.getvalue()
