"""The shell scripts of this room, each a file of its own under `scripts/`."""

import shlex
from pathlib import Path
from typing import Final

SCRIPTS: Final = Path(__file__).with_name("scripts")


def script(file: str, *, library: str | None = None, **values: str) -> str:
    """Return the text of the script `file`, after the variables and the functions that it uses.

    The variables are `values`, quoted, under upper-case names. The functions are those of the file `library`, which may
    read the variables, too.
    """
    assignments = "".join(f"{name.upper()}={shlex.quote(value)}\n" for name, value in values.items())
    functions = (SCRIPTS / library).read_text() if library else ""
    return assignments + functions + (SCRIPTS / file).read_text()
