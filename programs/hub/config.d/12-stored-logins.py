"""Stored logins are brought to the newest of `hub.keys`, so that the others can be dropped.

A hub whose newest key was taken away does not start: as long as it does not, nothing is lost that cannot be read again
once the key is named again. That also ends the `up` that took it away, before it removes the key itself.
"""

import sys

from database import connected, is_there, remembered
from henhouse_hub import secret, site
from stored_logins import KEYRING, Keyring, refusal, renew

given = site["keys"]
values = secret("crypt-keys").split(";")
keys = dict(zip(given["names"], values, strict=False))
ring = Keyring(remembered(site["directory"], KEYRING, site["database_url"]))
renewed = lost = 0
if is_there(site["database_url"]):
    with connected(site["database_url"]) as connection:
        renewed, lost = renew(connection, values)
if not given["lost"] and (refused := refusal(ring, keys, lost)):
    sys.exit(refused)
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
