"""Whether JupyterHub starts with the tables of its database: looked at before it changes them, or ends because of them.

Each change of the tables has a revision, which the database names. JupyterHub takes one that it does not know for an
old one: it copies the file, fails to change it, and does so again at each start.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from alembic.script import ScriptDirectory
from database import has_table
from jupyterhub import __version__
from jupyterhub.dbutil import ALEMBIC_DIR

WAY_BACK: Final = "docs/hub-database.md"
_COPY: Final = re.compile(r"\.\.?\d{4}-\d\d-\d\d-\d{6}(\.\d)?")
"""How JupyterHub's names of copies end (jupyterhub/dbutil.py)."""
_PIECE: Final = 1 << 20


def revision(connection: Any) -> str | None:
    """Return the revision of the tables; None where there are none, or where they are older than revisions are."""
    cursor = connection.cursor()
    if not has_table(cursor, "alembic_version"):
        return None
    cursor.execute("SELECT version_num FROM alembic_version")
    found = cursor.fetchone()
    return str(found[0]) if found else None


def is_current(found: str | None) -> bool:
    """Return whether this JupyterHub leaves such tables as they are; those of no revision are its own affair."""
    return found in (None, ScriptDirectory(ALEMBIC_DIR).get_current_head())


def is_known(found: str | None) -> bool:
    """Return whether this JupyterHub can use such tables, or bring them to its own revision."""
    return found is None or found in {each.revision for each in ScriptDirectory(ALEMBIC_DIR).walk_revisions()}


def refusal(found: str | None, *, upgrades: bool, file: Path | None) -> str | None:
    """Return why JupyterHub cannot start with tables of the revision `found`; None where it can.

    `upgrades` is whether it may change them, and `file` is where they are; None where they are in PostgreSQL.
    """
    if not is_known(found):
        older = f"the database: JupyterHub {__version__}, which is in hub.image, is older than its tables ({found}). "
        again = f"Set hub.image to the newer one again. To stay with the older one, see {WAY_BACK}: "
        return f"{older}{again}{_before(file) if file else 'put your own copy from before back'}"
    if not is_current(found) and not upgrades:
        return (
            f"the database: JupyterHub {__version__}, which is in hub.image, has to change its tables ({found}). Copy "
            "it with pg_dump, set hub.db.upgrade: true for one `up`, and set it back"
        )
    return None


def _before(file: Path) -> str:
    """Say which copy has tables that this JupyterHub can use, if there is one."""
    fitting = [each for each in copies(file) if _fits(each)]
    if not fitting:
        return f"beside {file.name} there is no copy that it can use"
    return f"the newest copy that it can use is {fitting[-1].name}, beside {file.name}"


def copies(file: Path) -> Sequence[Path]:
    """Return the copies that JupyterHub made of the database before it changed tables, oldest first."""
    beside = [each for each in file.parent.iterdir() if each.name.startswith(file.name)]
    found = [each for each in beside if _COPY.fullmatch(each.name.removeprefix(file.name)) and each.is_file()]
    return sorted(found, key=lambda each: each.name.removeprefix(file.name).lstrip("."))


def _fits(copy: Path) -> bool:
    try:
        # Nothing writes to it, so SQLite needs no lock: the directory may be mounted read-only.
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?immutable=1", uri=True)) as connection:
            found = revision(connection)
            return found is not None and is_known(found)
    except sqlite3.Error:
        return False


def drop_repeated(file: Path) -> list[str]:
    """Remove the copies that hold nothing but what is in the file itself, and return their names.

    They are of attempts to change the tables that changed nothing, and copies for which the disk had no room.
    JupyterHub makes another one at each start, so as many as a hub that fails has starts would fill the disk.
    """
    repeated = [each for each in copies(file) if _begins(file, each)]
    for each in repeated:
        each.unlink()
    return [each.name for each in repeated]


def _begins(file: Path, copy: Path) -> bool:
    """Return whether the file begins with all that is in the copy."""
    if copy.stat().st_size > file.stat().st_size:
        return False
    with file.open("rb") as whole, copy.open("rb") as part:
        return all(piece == whole.read(len(piece)) for piece in _pieces(part))


def _pieces(opened: Any) -> Iterator[bytes]:
    while piece := opened.read(_PIECE):
        yield piece
