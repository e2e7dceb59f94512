"""Stored logins are brought to the newest of `hub.keys`, so that the others can be dropped."""

import sys

from database import connected, is_there
from henhouse_hub import secret, site
from stored_logins import renew

renewed = lost = 0
if is_there(site["database_url"]):
    with connected(site["database_url"]) as connection:
        renewed, lost = renew(connection, secret("crypt-keys").split(";"))
if renewed:
    print(f"stored logins: {renewed} are encrypted with the newest key now", file=sys.stderr)
if lost:
    print(
        f"stored logins: {lost} cannot be read with any of hub.keys; these people log in again",
        file=sys.stderr,
    )
