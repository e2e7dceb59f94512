"""What the hub remembers of what the settings gave and may take back, in the database that has it.

So a database that is restored from a copy brings along what is in it by the settings of its time, and the next start
takes back what they have dropped since. Shipped to the hub beside its configuration.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from database import has_table, is_sqlite, mark_of, remembered
from keeping import put_aside

TABLE: Final = "henhouse_memory"
"""Not one of JupyterHub's: it neither reads this table nor changes it with its own."""
MOVED: Final = ".moved"
"""How files end that older henhouses kept beside the database, once what they held is in it."""


class Memory:
    """One thing that the hub remembers, by name, as JSON in a line of a table.

    Older henhouses had it in a file beside the database, which is read until the database has it. Then the file is put
    aside: a copy of the database from before knows nothing of its own, and the file says what was so when it was moved.
    """

    def __init__(self, name: str, directory: str, url: str) -> None:
        """Remember it in the database of this address; `directory` is where the files are."""
        self._name = name
        self.file: Path = remembered(directory, f"{name}.json", url)

    def stored(self, cursor: Any) -> Any:
        """Return what the database itself has; None where it has nothing. `cursor` is SQLite's or PostgreSQL's."""
        if not has_table(cursor, TABLE):
            return None
        cursor.execute(f"SELECT content FROM {TABLE} WHERE name = {mark_of(cursor)}", (self._name,))
        found = cursor.fetchone()
        return json.loads(found[0]) if found else None

    def recall(self, cursor: Any) -> Any:
        """Return what is remembered, in the database or in a file of before; None where nothing is."""
        for content in (self.stored(cursor), *map(_read, (self.file, self._moved))):
            if content is not None:
                return content
        return None

    def is_sure(self, cursor: Any) -> bool:
        """Return whether the database's own past is what is remembered.

        It is not where a copy was restored from before the database had it, or where another hub's came here.
        """
        return self.stored(cursor) is not None or _read(self.file) is not None

    def beside(self) -> Any:
        """Return what a henhouse of before has noted in its file, to which a site may have gone back meanwhile."""
        return _read(self.file)

    def keep(self, cursor: Any, content: Any) -> None:
        """Remember this from now on. Whoever opened the connection commits, with what it is about."""
        text, mark = json.dumps(content), mark_of(cursor)
        if has_table(cursor, TABLE):
            cursor.execute(f"SELECT content FROM {TABLE} WHERE name = {mark}", (self._name,))
            if (found := cursor.fetchone()) and found[0] == text:
                return
        else:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (name VARCHAR(64) PRIMARY KEY, content TEXT NOT NULL)")
        replace = "ON CONFLICT (name) DO UPDATE SET content = excluded.content"
        cursor.execute(f"INSERT INTO {TABLE} (name, content) VALUES ({mark}, {mark}) {replace}", (self._name, text))

    def put_aside(self) -> None:
        """Put the file aside, now that the database has what it held; say it where the disk does not take that."""
        try:
            put_aside(self.file, self._moved)
        except OSError as error:
            print(f"{self.file} is in the database now, and stays beside it all the same: {error}", file=sys.stderr)

    @property
    def _moved(self) -> Path:
        return self.file.with_name(f"{self.file.name}{MOVED}")


def refusal(cursor: Any) -> str | None:
    """Return why the hub cannot remember anything in this database; None where it can.

    JupyterHub makes its tables at its first start, so it may have lost the right to make one since.
    """
    if is_sqlite(cursor) or has_table(cursor, TABLE):
        return None
    cursor.execute("SELECT current_user, current_schema(), has_schema_privilege(current_schema(), 'CREATE')")
    user, schema, may = cursor.fetchone()
    if may:
        return None
    return (
        f"the database: {user} may not make the table {TABLE} in it, without which a restored copy would bring back "
        f'rights that were taken back. As its owner: GRANT CREATE ON SCHEMA "{schema}" TO "{user}"'
    )


def _read(file: Path) -> Any:
    """Return what a file holds; None where there is none, or nothing that can be used."""
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return None
