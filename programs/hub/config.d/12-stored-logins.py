"""Stored logins are brought to the newest of `hub.keys`, so that the others can be dropped.

A hub whose newest key was taken away does not start: as long as it does not, nothing is lost that cannot be read again
once the key is named again. That also ends the `up` that took it away, before it removes the key itself.
"""

import sys

from database import connected, is_there, remembered
from henhouse_hub import secret, site
from stored_logins import Keyring, renew

given = site["keys"]
values = secret("crypt-keys").split(";")
keys = dict(zip(given["names"], values, strict=False))
ring = Keyring(remembered(site["directory"], "keys.json", site["database_url"]))
renewed = lost = 0
if is_there(site["database_url"]):
    with connected(site["database_url"]) as connection:
        renewed, lost = renew(connection, values)
wrong = ring.missing(keys) if lost else None
if wrong and not given["lost"]:
    refused = f"stored logins: the hub does not start, so that {lost} are not lost. {wrong} has encrypted them and "
    gone = "write hub.keys_lost: true for one start; these people then log in again"
    if wrong in given["names"]:
        sys.exit(
            f"{refused}has another value now, as after the stack's state was lost. If no backup has the old one, {gone}"
        )
    sys.exit(
        f"{refused}is not in hub.keys any more. Name it again: keys: [{', '.join(given['names'])}, {wrong}]; once the "
        f"hub has started with that, it can be dropped. If the key itself is gone, {gone}"
    )
if given["lost"] and not lost:
    print("stored logins: all can be read; remove hub.keys_lost, which lets a wrong rotation pass", file=sys.stderr)
if renewed:
    print(f"stored logins: {renewed} are encrypted with the newest key now", file=sys.stderr)
if lost:
    print(
        f"stored logins: {lost} cannot be read with any of hub.keys; these people log in again",
        file=sys.stderr,
    )
for each in ring.behind(keys):
    print(
        f"stored logins: {each} is new in hub.keys and does not stand first, so nothing is encrypted with it",
        file=sys.stderr,
    )
ring.keep(keys)
