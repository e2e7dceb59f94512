"""The shell scripts of this room, each a file of its own under `scripts/`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from components.templates import shell

SCRIPTS: Final = Path(__file__).with_name("scripts")


def script(file: str, *, library: str | Sequence[str] = (), **values: str) -> str:
    """Return the text of the script `file`, after the variables and the functions that it uses.

    The variables are `values`, quoted, under upper-case names. The functions are those of the file `library`, or of
    several, which may read the variables, too.
    """
    libraries = (library,) if isinstance(library, str) else library
    return shell(__file__, *(each.removesuffix(".sh") for each in (*libraries, file)), **values)
