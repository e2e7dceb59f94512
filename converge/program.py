"""Programs of ours on a machine: Python packages of `programs/`, run by the machine's own Python."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from converge.item import Item
from converge.items import Directory, File

LIBRARY: Final = "/usr/local/lib/henhouse"
_PROGRAMS: Final = "/usr/local/sbin"


def path_of(program: ModuleType) -> str:
    """Return where the command that runs a package is: ``henhouse-<name>``."""
    return f"{_PROGRAMS}/henhouse-{_name(program)}"


def installed(program: ModuleType) -> Iterator[Item]:
    """Put a package of `programs/` on the machine: ``python3 -m <name>`` runs it with `LIBRARY` in PYTHONPATH."""
    name = _name(program)
    yield Directory(LIBRARY)
    yield Directory(f"{LIBRARY}/{name}")
    for source in sources(program):
        yield File(f"{LIBRARY}/{name}/{source.name}", source.read_text(encoding="utf-8"))


def command(program: ModuleType) -> File:
    """Put a command on the machine that runs the package's ``__main__``."""
    # -B: the directory is root's, and a cache that another Python wrote would only be in the way.
    start = f'#!/bin/sh\nPYTHONPATH={LIBRARY} exec python3 -B -m {_name(program)} "$@"\n'
    return File(path_of(program), start, mode="0755")


def sources(program: ModuleType) -> list[Path]:
    """Return the package's files."""
    assert program.__file__ is not None
    return sorted(Path(program.__file__).parent.glob("*.py"))


def _name(program: ModuleType) -> str:
    return program.__name__.rpartition(".")[2]
