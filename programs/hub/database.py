"""The hub's database, reached without JupyterHub: before it starts."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PASSWORD = "database-password"
"""Of the hub's Secret, where the database asks for one."""
BUSY_SECONDS = 30.0
"""For how long a hub that is writing is waited for."""
_FILE = "sqlite:///"


def is_there(url: str) -> bool:
    """Return whether there is a database; JupyterHub makes the file of SQLite, and no other database."""
    file = file_of(url)
    return file is None or file.exists()


def remembered(directory: str, name: str, url: str) -> Path:
    """Return the file in which the hub remembers something about what is in a database, by the file's plain name.

    A site may change to PostgreSQL and come back: each database has a file of its own. That of SQLite has the plain
    name, as it had before there were others.
    """
    plain = Path(directory) / name
    if file_of(url):
        return plain
    parts = urlsplit(url)
    where = hashlib.sha256(f"{parts.hostname}:{parts.port}{parts.path}".encode()).hexdigest()[:12]
    return plain.with_stem(f"{plain.stem}-{where}")


def file_of(url: str) -> Path | None:
    """Return the file of SQLite; None where the database is another machine's."""
    return Path(url.removeprefix(_FILE)) if url.startswith(_FILE) else None


def give_password(secrets: Path) -> None:
    """Let libpq in this process, and in the one that migrates tables, find the password, where there is one.

    It is in no address, which JupyterHub would write to a file for that other process. JupyterHub gives its services
    no such variable; yet they run as the hub's user in its container, and can read the hub's Secret, this password and
    the keys of logins in it. So whatever `hub.services` runs by a command has to be as trusted as the hub.
    """
    kept = secrets / PASSWORD
    if kept.exists():
        os.environ["PGPASSWORD"] = kept.read_text()


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """Connect as SQLAlchemy would, in one transaction."""
    file = file_of(url)
    connection = sqlite3.connect(file) if file else _postgres(url)
    with closing(connection), connection:
        yield connection


@contextmanager
def looked_at(url: str) -> Iterator[Any]:
    """Connect to a database that a hub may be using, in one transaction that can change nothing."""
    file = file_of(url)
    if file:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    else:
        connection = _postgres(url)
        connection.set_session(readonly=True)
    with closing(connection), connection:
        yield connection


class SessionCursor:
    """A cursor in the transaction of a session of JupyterHub's, with SQLAlchemy's errors, by which the hub recovers."""

    def __init__(self, session: Any) -> None:
        self._connection = session.connection()
        self.is_sqlite = self._connection.dialect.name == "sqlite"

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        """Run a statement with the values in it marked as the database's own driver wants them (`mark_of`)."""
        self._result = self._connection.exec_driver_sql(statement, values)

    def fetchone(self) -> Any:
        """Return the next line of what the last statement found; None where there is no other."""
        return self._result.fetchone()


def is_sqlite(cursor: Any) -> bool:
    """Return whether a cursor is one of SQLite's."""
    return isinstance(cursor, sqlite3.Cursor) or bool(getattr(cursor, "is_sqlite", False))


def mark_of(cursor: Any) -> str:
    """Return what stands for a value in a statement."""
    return "?" if is_sqlite(cursor) else "%s"


def has_table(cursor: Any, name: str) -> bool:
    """Return whether there is a table of this name; `cursor` is SQLite's or PostgreSQL's."""
    if is_sqlite(cursor):
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
    else:
        cursor.execute("SELECT to_regclass(%s)", (name,))
    found = cursor.fetchone()
    return bool(found and found[0])


def _postgres(url: str) -> Any:
    import psycopg2  # not in every image, and not needed for a file

    return psycopg2.connect(url.replace("postgresql+psycopg2://", "postgresql://"))
