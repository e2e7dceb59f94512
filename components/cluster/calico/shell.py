"""The shell scripts of this room, each a file of its own under `scripts/`."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

SCRIPTS: Final = Path(__file__).with_name("scripts")


def script(file: str, *, library: str | Sequence[str] = (), **values: str) -> str:
    """Return the text of the script `file`, after the variables and the functions that it uses.

    The variables are `values`, quoted, under upper-case names. The functions are those of the file `library`, or of
    several, which may read the variables, too.
    """
    assignments = "".join(f"{name.upper()}={shlex.quote(value)}\n" for name, value in values.items())
    libraries = (library,) if isinstance(library, str) else library
    functions = "".join((SCRIPTS / each).read_text() for each in libraries)
    return assignments + functions + (SCRIPTS / file).read_text()
