"""Ends when the database lets the hub in; runs before JupyterHub, which would end when the database is away.

It has to be there to know whose servers run. After a power cut its machine may come back after the hub's.
"""

import json
import math
import time
from pathlib import Path

from database import connected, give_password

PAUSE_SECONDS = 1.0


def refusal(url: str) -> str | None:
    """Why the database cannot be used, None when it can."""
    import psycopg2

    try:
        with connected(url):
            return None
    except psycopg2.Error as error:
        return " ".join(str(error).split())


def awaited(url: str, longest: float = math.inf) -> str | None:
    """Try until the database accepts the connection, for at most `longest` seconds; print each new reason why it does
    not.

    Return the last reason, None when it accepts.
    """
    end = time.monotonic() + longest
    said = None
    while reason := refusal(url):
        if reason != said:
            print(f"waiting for the database: {reason}", flush=True)
        if time.monotonic() > end:
            return reason
        said = reason
        time.sleep(PAUSE_SECONDS)
    return None


def main(site: Path) -> None:
    """Wait for the site's database."""
    values = json.loads(site.read_text())
    give_password(Path(values["secrets_directory"]))
    awaited(values["database_url"])


if __name__ == "__main__":
    main(Path(__file__).with_name("site.json"))
