"""The pool as the settings say, as `zpool create` is told, and as `zpool status -j` reports it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.storage.pool import topology
from programs.zpool.layout import BY_ID, Layout, Spec, Vdev, create_arguments, differences, reported_layout
from stacks.load import parse_settings
from stacks.settings import PoolSettings, StorageSettings
from tests.stacks.sites import tree

RECORDED = Path(__file__).with_name("recorded")


def spec_of(pool: PoolSettings, **more: Any) -> Spec:
    return Spec.parse(topology.spec(StorageSettings(pool=pool, **more)).text())


def pool_of(stack: str) -> PoolSettings:
    return parse_settings(tree(stack)).storage.pool


def small(**changes: Any) -> PoolSettings:
    return PoolSettings(
        **({"name": "tank", "host": "hen", "vdevs": [{"type": "mirror", "disks": ["disk-a", "disk-b"]}]} | changes)
    )


def disk_of(path: str) -> str:
    return Path(path).name.removesuffix("-part1")


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_flocks_pool_is_four_raidz2_a_mirrored_log_and_two_spares(stack: str) -> None:
    words = create_arguments(spec_of(pool_of(stack)))
    devices = [word for word in words if word.startswith("/")]
    assert words.count("raidz2") == 4
    assert words[words.index("log") :][:2] == ["log", "mirror"]
    assert words.index("spare") == len(words) - 3
    assert len(devices) == len(set(devices)) == 28
    assert all(device.startswith(f"{BY_ID}/") for device in devices)
    assert "ashift=12" in words


def test_arguments_of_a_small_pool() -> None:
    words = create_arguments(spec_of(small(ashift=13)))
    assert [word for word in words if word not in ("-o", "-O")] == [
        "ashift=13",
        "autotrim=on",
        "compression=lz4",
        "atime=off",
        "xattr=on",
        "acltype=posix",
        "canmount=off",
        "org.debian:periodic-scrub=disable",
        "mountpoint=/tank",
        "tank",
        "mirror",
        f"{BY_ID}/disk-a",
        f"{BY_ID}/disk-b",
    ]


def test_one_log_disk_is_not_a_mirror() -> None:
    assert create_arguments(spec_of(small(log=["ssd-1"])))[-2:] == ["log", f"{BY_ID}/ssd-1"]


def test_zfs_is_never_told_to_force() -> None:
    assert not {"-f", "-d", "-D", "-m"} & set(create_arguments(spec_of(pool_of("prod"))))


def test_shares_are_datasets_beside_the_homes() -> None:
    shares = {"scratch": {"access": "read-write", "quota": "2Ti"}, "datasets": {}}
    found = spec_of(small(), shares=shares).datasets
    assert list(found) == ["tank", "tank/homes", "tank/datasets", "tank/scratch"]
    homes = found["tank/homes"]
    assert found["tank/datasets"] == {**homes, "acltype": "posix", "refquota": str(2**60)}
    assert found["tank/scratch"] == {**homes, "acltype": "posix", "refquota": str(2 * 2**40)}


def test_homes_are_as_they_are_without_shares() -> None:
    assert list(spec_of(small()).datasets) == ["tank", "tank/homes"]
    assert "refquota" not in spec_of(small()).datasets["tank/homes"]


LAYOUT = Layout(
    vdevs=(Vdev("raidz1", ("a", "b", "c")), Vdev("raidz1", ("d", "e", "f"))),
    log=(Vdev("mirror", ("l1", "l2")),),
    spares=("s1",),
)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (LAYOUT, []),
        (replace(LAYOUT, vdevs=(Vdev("raidz1", ("f", "e", "d")), Vdev("raidz1", ("b", "a", "c")))), []),
        (
            replace(LAYOUT, vdevs=(Vdev("raidz1", ("a", "b", "x")), LAYOUT.vdevs[1])),
            ["raidz1 of a, b, c is raidz1 of a, b, x in the pool"],
        ),
        (
            replace(LAYOUT, vdevs=(Vdev("raidz2", ("a", "b", "c")), LAYOUT.vdevs[1])),
            ["raidz1 of a, b, c is raidz2 of a, b, c in the pool"],
        ),
        (replace(LAYOUT, vdevs=LAYOUT.vdevs[:1]), ["raidz1 of d, e, f is not in the pool"]),
        (
            replace(LAYOUT, vdevs=(*LAYOUT.vdevs, Vdev("disk", ("g",)))),
            ["disk of g is in the pool but not in the settings"],
        ),
        (replace(LAYOUT, log=()), ["log mirror of l1, l2 is not in the pool"]),
        (replace(LAYOUT, log=(Vdev("disk", ("l1",)),)), ["log mirror of l1, l2 is disk of l1 in the pool"]),
        (
            replace(LAYOUT, spares=("s2",)),
            ["s1 is not a spare of the pool", "s2 is a spare of the pool but not of the settings"],
        ),
        (replace(LAYOUT, others=("l2cache nvme-1",)), ["l2cache nvme-1 is in the pool but not in the settings"]),
    ],
)
def test_differences(found: Layout, said: list[str]) -> None:
    assert differences(LAYOUT, found) == said


def status(name: str) -> dict[str, Any]:
    pool: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())["pools"]["nest"]
    return pool


def test_pool_as_created_is_the_pool_of_the_settings() -> None:
    wanted = spec_of(pool_of("dev")).layout
    assert reported_layout(status("healthy"), wanted, disk_of) == wanted


def test_spare_in_use_is_not_a_difference() -> None:
    """The pool does what it was given a spare for; the alert speaks of it, not the plan."""
    wanted = spec_of(pool_of("dev")).layout
    assert differences(wanted, reported_layout(status("spare-in-use"), wanted, disk_of)) == []


def test_disk_that_is_gone_keeps_its_name() -> None:
    wanted = spec_of(pool_of("dev")).layout
    assert differences(wanted, reported_layout(status("disk-missing"), wanted, disk_of)) == []
