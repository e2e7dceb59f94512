"""Texts that machines and pods read, as files that an editor can colour: a room's `files/` and `scripts/`."""

import shlex
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render(room: str, name: str, **values: object) -> str:
    """Return the template `files/<name>.j2` beside the module `room` (its `__file__`), with these values in it.

    jinja2.UndefinedError when the template uses a value that is not given.
    """
    return _environment(Path(room).parent / "files").get_template(f"{name}.j2").render(values)


def shell(room: str, *files: str, **values: str) -> str:
    """Return the shell of `scripts/<file>.sh` beside the module `room`, one after the other, after its variables.

    The variables are `values`, quoted, under upper-case names.
    """
    assignments = "".join(f"{name.upper()}={shlex.quote(value)}\n" for name, value in values.items())
    return assignments + "".join((Path(room).parent / "scripts" / f"{file}.sh").read_text() for file in files)


@cache
def _environment(directory: Path) -> Environment:
    # For configuration files, not for HTML: nothing is escaped. Lines that hold only a tag leave no blank line.
    return Environment(
        loader=FileSystemLoader(directory),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
