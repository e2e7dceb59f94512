"""By what name ZFS knows a machine: the 4 bytes of /etc/hostid (zgenhostid(8)).

A pool that was not exported remembers them, and is only imported where they are the same: otherwise two machines that
reach the same disks could both write to them. A reinstalled machine has others. Nothing is forced here:
where the pool says that this very machine had it, the machine takes back the hostid by which the pool knows it.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .disks import Label, Refusal

FILE: Final = Path("/etc/hostid")
OVERRIDE: Final = Path("/sys/module/spl/parameters/spl_hostid")
"""A parameter of the module that counts more than the file; 0 when it is not used."""
ACTIVE: Final = 0
"""`state` of a label whose pool was not exported."""


def to_take_back(labels: Sequence[Label], guid: str, own: int, name: str, imported: Sequence[str]) -> int | None:
    """Return the hostid that the machine needs to import the pool `guid`, or None when it may import it as it is.

    `own` is the machine's hostid (0 without one), `name` its host name, `imported` are the pools that it has now. Raise
    Refusal when another machine had the pool last, or when the machine's hostid stands for another pool already.
    """
    of_pool = [label for label in labels if label.guid == guid]
    last = max(of_pool, key=lambda label: label.txg, default=None)
    if last is None or last.state != ACTIVE or last.hostid in (0, own):
        return None
    if not _same_host(last.hostname, name):
        raise Refusal(
            f"the pool {last.pool} was not exported by {last.hostname or 'an unknown host'} (hostid "
            f"{last.hostid:08x}), and this is {name} (hostid {own:08x}). Export it there (`zpool export {last.pool}`). "
            "Where that machine is gone, or cannot reach these disks any more, force the import here once by hand "
            f"(-f of zpool-import(8)), by its guid {guid}"
        )
    if imported:
        raise Refusal(
            f"the pool {last.pool} knows this machine by the hostid {last.hostid:08x}, and the machine has "
            f"{own:08x}, under which {', '.join(imported)} is imported. Export that first, or force the import of "
            f"{last.pool} once by hand (-f of zpool-import(8)), by its guid {guid}"
        )
    return last.hostid


def current() -> int:
    """Return the machine's hostid; 0 when it has none."""
    if OVERRIDE.exists() and (chosen := int(OVERRIDE.read_text())):
        return chosen
    found = FILE.read_bytes() if FILE.exists() else b""
    return int.from_bytes(found, "little") if len(found) == 4 else 0


def take(hostid: int) -> None:
    """Make this the machine's hostid, from now on. Raise Refusal where the file is not asked."""
    if OVERRIDE.exists() and int(OVERRIDE.read_text()):
        raise Refusal(
            f"the hostid is a parameter of the module (spl_hostid): give it the value 0x{hostid:08x} where it is set, "
            "in /etc/modprobe.d or on the kernel's command line, or take it out there"
        )
    new = FILE.with_name("hostid.henhouse-new")
    new.write_bytes(hostid.to_bytes(4, "little"))
    new.chmod(0o644)
    os.replace(new, FILE)


def _same_host(one: str, other: str) -> bool:
    """Whether two names are one machine's: one may lack the domain."""
    if "." in one and "." in other:
        return one == other
    return bool(one) and one.partition(".")[0] == other.partition(".")[0]
