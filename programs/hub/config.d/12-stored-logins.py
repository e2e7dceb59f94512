"""Stored logins are brought to the newest of `hub.keys`, so that the others can be dropped."""

import sys
from pathlib import Path

from henhouse_hub import secret, site
from stored_logins import renew

renewed, lost = renew(Path(site["database_url"].removeprefix("sqlite:///")), secret("crypt-keys").split(";"))
if renewed:
    print(f"stored logins: {renewed} are encrypted with the newest key now", file=sys.stderr)
if lost:
    print(
        f"stored logins: {lost} cannot be read with any of hub.keys; these people log in again",
        file=sys.stderr,
    )
