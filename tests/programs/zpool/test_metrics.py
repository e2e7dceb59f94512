"""What is told of a pool: no more than an alert rule asks for."""

import json
import re
from pathlib import Path

from programs.zpool.metrics import HELP, render
from programs.zpool.system import mounted
from tests.stacks.sites import ROOT

RECORDED = Path(__file__).parents[2] / "components/storage/pool/recorded"


def test_every_metric_has_an_alert() -> None:
    """A metric without a reader costs its machine a run every five minutes, for nothing."""
    rules = (ROOT / "components/storage/pool/alerts.yml").read_text()
    assert set(re.findall(r"henhouse_zpool_\w+", rules)) - {"henhouse_zpool_"} == set(HELP)


def test_a_real_pool_is_told() -> None:
    for file in sorted(RECORDED.glob("*.json")):
        pool = json.loads(file.read_text())["pools"]["nest"]
        text = render("nest", pool, layout_differences=1, datasets={})
        assert 'henhouse_zpool_layout_differences{pool="nest"} 1\n' in text
        assert re.search(r'^henhouse_zpool_size_bytes\{pool="nest"\} [1-9]', text, re.MULTILINE)
        assert re.search(r'^henhouse_zpool_errors\{pool="nest",disk="[^"]+",kind="checksum"\} \d', text, re.MULTILINE)


def test_dataset_is_mounted_at_its_place_or_is_not() -> None:
    mounts = """\
/dev/vda1 / ext4 rw,relatime 0 0
nest/homes /nest/homes zfs rw,nosuid,nodev,noatime,xattr,posixacl,casesensitive 0 0
nest/project /srv/old zfs rw,nosuid,nodev,noatime,xattr,posixacl,casesensitive 0 0
nest/scratch /nest/scratch nfs4 rw 0 0
"""
    assert mounted(mounts) == {"nest/homes"}


def test_datasets_of_the_settings_are_told() -> None:
    pool = json.loads(sorted(RECORDED.glob("*.json"))[0].read_text())["pools"]["nest"]
    text = render("nest", pool, 0, {"nest/homes": True, "nest/project": False})
    assert 'henhouse_zpool_dataset_mounted{pool="nest",dataset="nest/homes"} 1\n' in text
    assert 'henhouse_zpool_dataset_mounted{pool="nest",dataset="nest/project"} 0\n' in text


def test_nothing_is_told_of_a_pool_that_is_not_there() -> None:
    assert "henhouse_zpool" not in render("nest", None, layout_differences=0, datasets={"nest/homes": False})
