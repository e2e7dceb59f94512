"""Looks whether the hub can start with its database; runs before the hub that people use is stopped.

It changes nothing: where the database is a file, its directory is mounted read-only.
"""

import json
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import memory
import revisions
import stored_logins
from database import file_of, give_password, is_there, looked_at
from memory import Memory
from revisions import revision
from stored_logins import KEYRING, Keyring, unreadable
from termination import tell
from wait_for_database import awaited

LONGEST_SECONDS: Final = 120
"""For a database that is away. It may be starting again just now, as the hub's own pod would wait to see."""


def fault(values: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """Return why a hub with these values of `site.json` would not start, as far as it is its database's; else None.

    `keys` are those of stored logins, newest first.
    """
    url = values["database_url"]
    file = file_of(url)
    if file is None and (away := awaited(url, LONGEST_SECONDS)):
        return f"the database cannot be used: {away}"
    if not is_there(url):
        return None
    try:
        with looked_at(url) as connection:
            return fault_in(connection, values, keys)
    except sqlite3.OperationalError as error:
        # Such as what a hub left that was killed while it wrote: the next one puts it right, and is let do so.
        print(f"{file} cannot be looked at now: {error}", flush=True)
        return None
    except sqlite3.DatabaseError as error:
        return f"the database cannot be used: {file}: {error}"


def fault_in(connection: Any, values: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """Return what in a database that can be read would keep the hub from starting."""
    url, given = values["database_url"], values["keys"]
    found = revision(connection)
    if wrong := revisions.refusal(found, upgrades=values["database_upgrades"], file=file_of(url)):
        return wrong
    cursor = connection.cursor()
    if wrong := memory.refusal(cursor):
        return wrong
    if given["lost"]:
        return None
    ring = Keyring(Memory(KEYRING, values["directory"], url).recall(cursor))
    named = dict(zip(given["names"], keys, strict=False))
    return stored_logins.refusal(ring, named, unreadable(connection, keys))


def main(site: Path) -> int:
    """Look, say what is wrong, and return the exit status."""
    values = json.loads(site.read_text())
    secrets = Path(values["secrets_directory"])
    give_password(secrets)
    wrong = fault(values, (secrets / "crypt-keys").read_text().split(";"))
    if wrong:
        print(wrong, flush=True)
        tell(wrong, secrets)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).with_name("site.json")))
