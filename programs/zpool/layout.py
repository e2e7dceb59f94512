"""The layout of a pool: as the settings want it, as `zpool status -j` reports it, and what differs between the two."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

BY_ID: Final = "/dev/disk/by-id"
OTHER_CLASSES: Final = ("l2cache", "special", "dedup")
"""Classes of vdevs that the settings do not know."""
STAND_INS: Final = ("spare", "replacing")
"""Vdevs that ZFS puts in a disk's place while another disk takes over (zpoolconcepts(7), hot spares)."""


@dataclass(frozen=True)
class Vdev:
    """A top-level vdev: `mirror`, `raidz1` to `raidz3`, or `disk` for a single one."""

    type: str
    disks: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.type} of {', '.join(self.disks)}"


@dataclass(frozen=True)
class Layout:
    """Which disk does what in a pool; disks are names in /dev/disk/by-id."""

    vdevs: tuple[Vdev, ...]
    log: tuple[Vdev, ...] = ()
    spares: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Vdevs of classes that the settings do not know: cache, special, dedup."""

    @property
    def active(self) -> tuple[str, ...]:
        """The disks that hold data or log."""
        return tuple(disk for vdev in (*self.vdevs, *self.log) for disk in vdev.disks)

    @property
    def disks(self) -> tuple[str, ...]:
        """Every disk."""
        return (*self.active, *self.spares)


@dataclass(frozen=True)
class Spec:
    """What the settings say of a pool."""

    name: str
    layout: Layout
    pool_properties: Mapping[str, str]
    """zpoolprops(7)."""
    datasets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Properties (zfsprops(7)) by dataset, parents first; the first is the pool's root dataset."""

    def text(self) -> str:
        """Return the spec as JSON: the file that the machine keeps."""
        raw = {
            "name": self.name,
            "vdevs": [{"type": vdev.type, "disks": list(vdev.disks)} for vdev in self.layout.vdevs],
            "log": [{"type": vdev.type, "disks": list(vdev.disks)} for vdev in self.layout.log],
            "spares": list(self.layout.spares),
            "pool_properties": dict(self.pool_properties),
            "datasets": {name: dict(properties) for name, properties in self.datasets.items()},
        }
        return json.dumps(raw, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Spec":
        """Return the spec in a text that `text` has made."""
        raw = json.loads(text)

        def vdevs(key: str) -> tuple[Vdev, ...]:
            return tuple(Vdev(each["type"], tuple(each["disks"])) for each in raw[key])

        layout = Layout(vdevs("vdevs"), vdevs("log"), tuple(raw["spares"]))
        return cls(raw["name"], layout, raw["pool_properties"], raw["datasets"])


def create_arguments(spec: Spec) -> list[str]:
    """Return the arguments of `zpool create`, without -f: ZFS's own checks stay in force."""

    def members(vdev: Vdev) -> list[str]:
        paths = [f"{BY_ID}/{disk}" for disk in vdev.disks]
        return paths if vdev.type == "disk" else [vdev.type, *paths]

    arguments = [word for key, value in spec.pool_properties.items() for word in ("-o", f"{key}={value}")]
    arguments += [word for key, value in spec.datasets[spec.name].items() for word in ("-O", f"{key}={value}")]
    arguments.append(spec.name)
    arguments += [word for vdev in spec.layout.vdevs for word in members(vdev)]
    if spec.layout.log:
        arguments += ["log", *(word for vdev in spec.layout.log for word in members(vdev))]
    if spec.layout.spares:
        arguments += ["spare", *(f"{BY_ID}/{disk}" for disk in spec.layout.spares)]
    return arguments


def reported_layout(pool: Mapping[str, Any], wanted: Layout, disk_of: Callable[[str], str]) -> Layout:
    """Return the layout in a pool's object of `zpool status -j`. `disk_of` gives the disk's name for a vdev's path."""

    def leaves(vdev: Mapping[str, Any]) -> Iterator[str]:
        children = vdev.get("vdevs", {}).values()
        if not children:
            yield disk_of(vdev.get("was") or vdev.get("path") or vdev["name"])
        for child in children:
            yield from leaves(child)

    def member(vdev: Mapping[str, Any]) -> str:
        """Return the disk of a vdev, or the disk whose place a spare holds for now."""
        names = list(leaves(vdev))
        if vdev["vdev_type"] in STAND_INS:
            return next((name for name in names if name in wanted.active), names[0])
        return names[0]

    def top(vdev: Mapping[str, Any]) -> Vdev:
        if "vdevs" not in vdev or vdev["vdev_type"] in STAND_INS:
            return Vdev("disk", (member(vdev),))
        return Vdev(vdev["name"].rpartition("-")[0], tuple(member(child) for child in vdev["vdevs"].values()))

    root = pool["vdevs"][pool["name"]]
    return Layout(
        vdevs=tuple(top(vdev) for vdev in root.get("vdevs", {}).values()),
        log=tuple(top(vdev) for vdev in pool.get("logs", {}).values()),
        spares=tuple(member(vdev) for vdev in pool.get("spares", {}).values()),
        others=tuple(f"{vdev_class} {vdev}" for vdev_class in OTHER_CLASSES for vdev in pool.get(vdev_class, {})),
    )


def differences(wanted: Layout, found: Layout) -> list[str]:
    """One sentence for each place where a pool is not as the settings say. The order of disks does not matter."""
    said = [*_vdev_differences("", wanted.vdevs, found.vdevs), *_vdev_differences("log ", wanted.log, found.log)]
    said += [f"{disk} is not a spare of the pool" for disk in wanted.spares if disk not in found.spares]
    strangers = [disk for disk in found.spares if disk not in wanted.spares]
    said += [f"{disk} is a spare of the pool but not of the settings" for disk in strangers]
    said += [f"{other} is in the pool but not in the settings" for other in found.others]
    return said


def _vdev_differences(what: str, wanted: tuple[Vdev, ...], found: tuple[Vdev, ...]) -> Iterator[str]:
    def same(one: Vdev, other: Vdev) -> bool:
        return one.type == other.type and set(one.disks) == set(other.disks)

    extra = [vdev for vdev in found if not any(same(vdev, other) for other in wanted)]
    for vdev in wanted:
        if any(same(vdev, other) for other in found):
            continue
        nearest = max(extra, key=lambda other: len(set(other.disks) & set(vdev.disks)), default=None)
        if nearest is None or not set(nearest.disks) & set(vdev.disks):
            yield f"{what}{vdev} is not in the pool"
        else:
            extra.remove(nearest)
            yield f"{what}{vdev} is {nearest} in the pool"
    for vdev in extra:
        yield f"{what}{vdev} is in the pool but not in the settings"
