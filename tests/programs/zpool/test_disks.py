"""A pool is made of blank disks only; everything else is refused by name."""

import json
from dataclasses import replace
from typing import Any

import pytest

from programs.zpool.disks import Disk, Label, Refusal, describe, importable, parse_labels, parse_lsblk, unfit

BLANK = Disk("bay01", "/dev/vdb")
NEST = Label(1, "nest", "111", "hen")

# As `lsblk --json --output NAME,PATH,TYPE,SIZE,MOUNTPOINTS` of util-linux 2.41 prints it.
LSBLK = json.loads("""
{"blockdevices": [
  {"name": "vdb", "path": "/dev/vdb", "type": "disk", "size": 2147483648, "mountpoints": [null]},
  {"name": "vdc", "path": "/dev/vdc", "type": "disk", "size": 2147483648, "mountpoints": [null], "children": [
    {"name": "vdc1", "path": "/dev/vdc1", "type": "part", "size": 1073741824, "mountpoints": [null], "children": [
      {"name": "vg-root", "path": "/dev/mapper/vg-root", "type": "lvm", "size": 536870912, "mountpoints": ["/srv"]}]}]}
]}
""")

# `zdb -l` of OpenZFS 2.3.
ZDB_DATA = """\
------------------------------------
LABEL 0\x20
------------------------------------
    version: 5000
    name: 'nest'
    state: 1
    txg: 66
    pool_guid: 14894520421478297340
    errata: 0
    hostid: 8323328
    hostname: 'hen'
    top_guid: 4412432013137571404
    guid: 10423430213347871041
    vdev_children: 5
    vdev_tree:
        type: 'raidz'
        id: 0
        guid: 4412432013137571404
        children[0]:
            type: 'disk'
            path: '/dev/disk/by-id/virtio-hen-bay01-part1'
    features_for_read:
        com.delphix:hole_birth
    labels = 0 1 2 3\x20
"""
ZDB_SPARE = """\
------------------------------------
LABEL 0\x20
------------------------------------
    version: 5000
    state: 3
    guid: 13216017364013116211
    labels = 0 1 2 3\x20
"""
ZDB_NOTHING = """\
failed to unpack label 0
failed to unpack label 1
failed to unpack label 2
failed to unpack label 3
"""


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (ZDB_DATA, Label(1, "nest", "14894520421478297340", "hen", 8323328, 66)),
        (ZDB_SPARE, Label(3)),
        (ZDB_NOTHING, None),
        ("", None),
    ],
)
def test_labels(text: str, label: Label | None) -> None:
    assert list(parse_labels(text)) == ([label] if label else [])


def test_disk_is_told_by_everything_on_it() -> None:
    device = parse_lsblk(LSBLK)["/dev/vdc"]
    signatures: list[dict[str, Any]] = [{"device": "vdc", "offset": "0x200", "type": "gpt"}]
    assert describe("bay02", device, signatures, [NEST]) == Disk(
        "bay02",
        "/dev/vdc",
        children=("vdc1 (part)", "vg-root (lvm)"),
        mounts=("/srv",),
        signatures=("gpt on vdc",),
        labels=(NEST,),
    )


def test_blank_disks_are_fit() -> None:
    assert unfit([BLANK, Disk("bay02", "/dev/vdc")], unused=[]) == []


@pytest.mark.parametrize(
    ("disk", "said"),
    [
        (
            replace(BLANK, signatures=("gpt on vdb", "PMBR on vdb"), children=("vdb1 (part)",)),
            "is not blank, it holds the signatures gpt on vdb, PMBR on vdb and the devices vdb1 (part): if nothing",
        ),
        (replace(BLANK, signatures=("ext4 on vdb",)), "is not blank, it holds the signatures ext4 on vdb: if nothing"),
        (replace(BLANK, signatures=("LVM2_member on vdb",)), "it holds the signatures LVM2_member on vdb: if"),
        (replace(BLANK, signatures=("linux_raid_member on vdb",)), "it holds the signatures linux_raid_member on vdb:"),
        (
            replace(BLANK, labels=(Label(0, "tank", "42", "duck"),) * 4),
            "is not blank, it holds a ZFS label of the pool tank (guid 42, last used by duck): if nothing",
        ),
        (replace(BLANK, labels=(Label(3),)), "it holds a ZFS label of a spare or cache disk: if nothing"),
        (
            replace(BLANK, labels=(Label(3),), signatures=("gpt on vdb",)),
            "it holds a ZFS label of a spare or cache disk and the signatures gpt on vdb: if nothing on it is needed, "
            "clear it by hand (wipefs(8))",
        ),
        (replace(BLANK, mounts=("/srv",)), "is in use at /srv: name another disk, or stop using this one"),
        (replace(BLANK, type="part"), "is a partition: name the whole disk that it is on"),
        (
            replace(BLANK, type="part", signatures=("ext4 on vdb1",), mounts=("/",)),
            "is a partition: name the whole disk that it is on",
        ),
        (replace(BLANK, type="lvm"), "is a logical volume: name the whole disk that it is on"),
        (replace(BLANK, type="raid1"), "is a device of type raid1: name the whole disk that it is on"),
        (replace(BLANK, type="loop"), "is a loop device: name the whole disk that it is on"),
        (replace(BLANK, children=("md0 (raid1)",)), "is not blank, it holds the devices md0 (raid1): if nothing"),
        (
            Disk("bay01", None),
            "is not in /dev/disk/by-id: correct the name, or connect the disk; "
            "this machine's disks that the settings do not name are bay99",
        ),
    ],
)
def test_every_refusal_is_one_sentence_about_one_disk(disk: Disk, said: str) -> None:
    (found,) = unfit([disk, Disk("bay02", "/dev/vdc")], unused=["bay99"])
    assert found.startswith("bay01 is" if disk.device is None else "bay01 (/dev/vdb) is")
    assert said in found
    assert "\n" not in found


def test_every_unfit_disk_is_named_at_once() -> None:
    used = replace(BLANK, signatures=("gpt on vdb",))
    assert len(unfit([used, Disk("bay02", None), Disk("bay03", "/dev/vdd")], unused=[])) == 2


def test_two_names_of_one_disk() -> None:
    assert unfit([BLANK, Disk("wwn-0x5000", "/dev/vdb")], unused=[]) == [
        "wwn-0x5000 (/dev/vdb) is the same disk as bay01: name each disk once"
    ]


@pytest.mark.parametrize(
    ("labels", "guid"),
    [
        ([], None),
        ([NEST, NEST], "111"),
        ([replace(NEST, state=0)], "111"),
        ([replace(NEST, state=2)], None),  # the pool was destroyed: nothing to import, and the disk is not blank
        ([replace(NEST, pool="tank")], None),
        ([Label(3)], None),
    ],
)
def test_pool_that_is_there_is_imported(labels: list[Label], guid: str | None) -> None:
    assert importable("nest", [BLANK, *(replace(BLANK, labels=(label,)) for label in labels)]) == guid


def test_two_pools_of_one_name_are_left_to_a_person() -> None:
    disks = [replace(BLANK, labels=(NEST,)), replace(BLANK, labels=(replace(NEST, guid="222"),))]
    with pytest.raises(Refusal, match=r"2 different pools called nest \(guids 111, 222\)"):
        importable("nest", disks)
