"""How the hub's programs keep a file beside its database; shipped to the hub beside its configuration."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any


def put_aside(file: Path, aside: Path) -> None:
    """Give a file another name, in the place of what has that; nothing happens where there is none.

    Raise OSError where the disk does not take it.
    """
    with suppress(FileNotFoundError):
        os.replace(file, aside)


def write_whole(path: Path, data: Any) -> None:
    """Replace a file by `data` as JSON: to whoever reads it, and after a power cut, it is the old one or the new one.

    Raise OSError where the disk does not take it; the old file is then as it was, and nothing lies beside it.
    """
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(json.dumps(data))
            file.flush()
            # A rename may reach the disk before what was written does.
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
