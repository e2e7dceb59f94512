"""What is on the disks that a pool would be made of, and why one of them may not be used."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .layout import BY_ID

EXPORTED_OR_ACTIVE = (0, 1)
"""`state` of a label whose pool can be imported (pool_state_t in sys/fs/zfs.h)."""


class Refusal(Exception):
    """The pool cannot be made or used as the settings say; the message tells a person why and what to do."""


@dataclass(frozen=True)
class Label:
    """A ZFS label (zdb -l)."""

    state: int
    pool: str = ""
    """Empty on a spare or a cache disk, which does not know its pool."""
    guid: str = ""
    """The pool's guid."""
    hostname: str = ""
    """The machine that used the pool last."""
    hostid: int = 0
    """How ZFS knew that machine; 0 when it had no hostid."""
    txg: int = 0
    """When the label was written: the pool counts its transaction groups."""

    def __str__(self) -> str:
        if not self.pool:
            return "a ZFS label of a spare or cache disk"
        host = self.hostname or "an unknown host"
        return f"a ZFS label of the pool {self.pool} (guid {self.guid}, last used by {host})"


@dataclass(frozen=True)
class Disk:
    """One of the settings' disks, as it was found."""

    name: str
    device: str | None
    """The block device that the name stands for, or None where that name does not exist."""
    type: str = "disk"
    """lsblk's TYPE."""
    children: tuple[str, ...] = ()
    """What is made of it: partitions, LVM volumes, RAID arrays…, as `vdb1 (part)`."""
    mounts: tuple[str, ...] = ()
    """Where it, or a child of it, is mounted or used for swap."""
    signatures: tuple[str, ...] = ()
    """What wipefs(8) knows by its magic, as `gpt on vdb`."""
    labels: tuple[Label, ...] = ()


def parse_lsblk(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the block devices of `lsblk --json` by path; partitions and what is stacked on them are in `children`."""
    return {device["path"]: device for device in report["blockdevices"]}


def family(device: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a device of lsblk and everything made of it."""
    yield device
    for child in device.get("children", ()):
        yield from family(child)


def parse_labels(text: str) -> Iterator[Label]:
    """Yield the label in what `zdb -l` prints; nothing when it found none. The four copies on a disk say the same."""

    def value(key: str) -> str:
        match = re.search(rf"^    {key}: '?([^'\n]*)'?$", text, re.MULTILINE)
        return match[1] if match else ""

    if state := value("state"):
        numbers = int(value("hostid") or 0), int(value("txg") or 0)
        yield Label(int(state), value("name"), value("pool_guid"), value("hostname"), *numbers)


def describe(
    name: str,
    device: Mapping[str, Any],
    signatures: Sequence[Mapping[str, Any]],
    labels: Sequence[Label],
) -> Disk:
    """Return a disk, made from its entries in the reports of lsblk, wipefs and zdb."""
    members = list(family(device))
    return Disk(
        name=name,
        device=device["path"],
        type=device["type"],
        children=tuple(f"{child['name']} ({child['type']})" for child in members[1:]),
        mounts=tuple(mount for member in members for mount in member["mountpoints"] if mount),
        signatures=tuple(f"{each['type']} on {each['device']}" for each in signatures),
        labels=tuple(labels),
    )


def importable(pool: str, disks: Sequence[Disk]) -> str | None:
    """Return the guid of the pool of this name that is on these disks, or None where there is none.

    Raises `Refusal` when they hold two pools of that name.
    """
    labels = [label for disk in disks for label in disk.labels]
    guids = sorted({label.guid for label in labels if label.pool == pool and label.state in EXPORTED_OR_ACTIVE})
    if len(guids) > 1:
        raise Refusal(
            f"the disks hold {len(guids)} different pools called {pool} (guids {', '.join(guids)}); "
            f"import the right one by hand: zpool import -d {BY_ID} GUID"
        )
    return guids[0] if guids else None


def unfit(disks: Sequence[Disk], unused: Sequence[str]) -> list[str]:
    """Why a pool may not be created on these disks: one sentence per unusable disk, with what to do about it.

    Empty when all are blank. `unused` names other disks of the machine, to help with a mistyped name.
    """
    reasons = []
    names: dict[str, str] = {}
    for disk in disks:
        if reason := _reason(disk, names, unused):
            reasons.append(f"{disk.name}{f' ({disk.device})' if disk.device else ''} {reason}")
        if disk.device is not None:
            names.setdefault(disk.device, disk.name)
    return reasons


def _reason(disk: Disk, names: Mapping[str, str], unused: Sequence[str]) -> str:
    if disk.device is None:
        others = f"; this machine's disks that the settings do not name are {', '.join(unused)}" if unused else ""
        return f"is not in {BY_ID}: correct the name, or connect the disk{others}"
    if disk.device in names:
        return f"is the same disk as {names[disk.device]}: name each disk once"
    if disk.type != "disk":
        return f"is a {_TYPES.get(disk.type, f'device of type {disk.type}')}: name the whole disk that it is on"
    if disk.mounts:
        return f"is in use at {', '.join(disk.mounts)}: name another disk, or stop using this one"
    if found := [*map(str, dict.fromkeys(disk.labels)), *_signatures(disk)]:
        return f"is not blank, it holds {' and '.join(found)}: {_TO_CLEAR}"
    return ""


def _signatures(disk: Disk) -> Iterator[str]:
    if disk.signatures:
        yield f"the signatures {', '.join(disk.signatures)}"
    if disk.children:
        yield f"the devices {', '.join(disk.children)}"


_TYPES: Final = {
    "part": "partition",
    "lvm": "logical volume",
    "crypt": "decrypted volume",
    "loop": "loop device",
    "mpath": "multipath device",
    "rom": "CD or DVD drive",
}
"""lsblk's TYPE in words; RAID arrays are raid0 … raid10, md."""
_TO_CLEAR: Final = "if nothing on it is needed, clear it by hand (wipefs(8))"
