"""The programs that report disks and pools, and how their answers are read: JSON wherever they offer it."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from .disks import Disk, Label, Refusal, describe, family, parse_labels, parse_lsblk
from .layout import BY_ID, Spec

LSBLK_COLUMNS = "NAME,PATH,TYPE,SIZE,MOUNTPOINTS"


def run(*command: str) -> str:
    """Run a program and return what it printed; raise `Refusal` with the program's own words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        raise Refusal(f"`{' '.join(command[:3])} …` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def ask(*command: str) -> dict[str, Any]:
    """Return the JSON object that a program prints."""
    return cast(dict[str, Any], json.loads(run(*command) or "{}"))


def imported_pools() -> list[str]:
    """Names of the pools that this machine has."""
    return run("zpool", "list", "-H", "-o", "name").split()


def status(pool: str) -> Mapping[str, Any] | None:
    """Return the pool's object of `zpool status`, or None while it is not imported.

    Sizes and times are whole numbers.
    """
    if pool not in imported_pools():
        return None
    return cast(Mapping[str, Any], ask("zpool", "status", "-j", "-p", "--json-int", pool)["pools"][pool])


def pool_properties(pool: str, names: list[str]) -> dict[str, str]:
    """Properties of an imported pool."""
    report = ask("zpool", "get", "-j", "-p", ",".join(names), pool)
    return {name: each["value"] for name, each in report["pools"][pool]["properties"].items()}


def datasets(pool: str) -> set[str]:
    """Names of all file systems of an imported pool."""
    return set(ask("zfs", "list", "-j", "-r", "-t", "filesystem", "-o", "name", pool)["datasets"])


def dataset_properties(dataset: str, names: list[str]) -> dict[str, str]:
    """Properties of a dataset; `-` for a user property that is not set."""
    report = ask("zfs", "get", "-j", "-p", ",".join(names), dataset)
    return {name: each["value"] for name, each in report["datasets"][dataset]["properties"].items()}


def mounted(mounts: str) -> set[str]:
    """Return the datasets that are mounted at their place, `/<dataset>`; `mounts` is as proc(5) has it."""
    lines = (line.split(" ") for line in mounts.splitlines())
    return {source for source, place, kind, *_ in lines if kind == "zfs" and place == f"/{source}"}


def inspect(spec: Spec) -> list[Disk]:
    """Look at every disk of the settings, only reading, and return what was found."""
    devices = {name: device_of(name) for name in spec.layout.disks}
    there = sorted({device for device in devices.values() if device})
    known = parse_lsblk(ask("lsblk", "--json", "--bytes", "--output", LSBLK_COLUMNS, *there)) if there else {}
    return [_inspect(name, known[device]) if device in known else Disk(name, None) for name, device in devices.items()]


def _inspect(name: str, device: Mapping[str, Any]) -> Disk:
    paths = [member["path"] for member in family(device)]
    signatures = ask("wipefs", "--json", "--no-act", *paths).get("signatures", [])
    return describe(name, device, signatures, [label for path in paths for label in _labels(path)])


def _labels(path: str) -> list[Label]:
    # zdb -l ends with 2 when it finds no label, which is not a failure here.
    done = subprocess.run(["zdb", "-l", path], capture_output=True, text=True, check=False)
    return list(parse_labels(done.stdout))


def device_of(name: str) -> str | None:
    """Return the block device that a name in /dev/disk/by-id stands for, or None where that name does not exist."""
    link = Path(BY_ID, name)
    return os.path.realpath(link) if link.exists() else None


def unused_disks(spec: Spec) -> list[str]:
    """Whole disks in /dev/disk/by-id that the settings do not name and nothing is mounted from."""
    named = {device_of(name) for name in spec.layout.disks}
    report = parse_lsblk(ask("lsblk", "--json", "--bytes", "--output", LSBLK_COLUMNS))

    def idle(device: Mapping[str, Any]) -> bool:
        return device["type"] == "disk" and not any(mount for each in family(device) for mount in each["mountpoints"])

    free = {path for path, device in report.items() if path not in named and idle(device)}
    links = sorted(Path(BY_ID).iterdir()) if Path(BY_ID).is_dir() else []
    return [link.name for link in links if os.path.realpath(link) in free]


def disk_names(spec: Spec) -> dict[str, str]:
    """Return the settings' name for each device and its first partition, where ZFS keeps its data on a whole disk."""
    return {
        device: name
        for name in spec.layout.disks
        for candidate in (name, f"{name}-part1")
        if (device := device_of(candidate))
    }


def disk_of(names: Mapping[str, str], path: str) -> str:
    """Return the settings' name of the disk behind a vdev's path, whichever of its names the pool was imported by."""
    known = names.get(os.path.realpath(path))
    return known or os.path.basename(path).removesuffix("-part1")
