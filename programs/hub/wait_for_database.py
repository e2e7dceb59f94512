"""Ends when the database lets the hub in; runs before JupyterHub, which would end when the database is away.

It has to be there to know whose servers run. After a power cut its machine may come back after the hub's.
"""

import json
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


def main(site: Path) -> None:
    """Try until the database accepts the connection; print each new reason why it does not."""
    values = json.loads(site.read_text())
    give_password(Path(values["secrets_directory"]))
    said = None
    while reason := refusal(values["database_url"]):
        if reason != said:
            print(f"waiting for the database: {reason}", flush=True)
        said = reason
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main(Path(__file__).with_name("site.json"))
