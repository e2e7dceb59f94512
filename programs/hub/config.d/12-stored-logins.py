"""Stored logins are brought to the newest of `hub.keys`, so that the others can be dropped.

A hub whose newest key was taken away does not start: as long as it does not, nothing is lost that cannot be read again
once the key is named again. That also ends the `up` that took it away, before it removes the key itself.
"""

import sys

import memory
from database import connected
from henhouse_hub import secret, site
from memory import Memory
from stored_logins import KEYRING, Keyring, digests, refusal, renew

given = site["keys"]
values = secret("crypt-keys").split(";")
keys = dict(zip(given["names"], values, strict=False))
remembered = Memory(KEYRING, site["directory"], site["database_url"])
# At a site's first start with SQLite, this makes the file, and JupyterHub its tables in it.
with connected(site["database_url"]) as connection:
    cursor = connection.cursor()
    if refused := memory.refusal(cursor):
        sys.exit(refused)
    ring = Keyring(remembered.recall(cursor))
    renewed, lost = renew(connection, values)
    if not given["lost"] and (refused := refusal(ring, keys, lost)):
        sys.exit(refused)
    remembered.keep(cursor, digests(keys))
remembered.put_aside()
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
