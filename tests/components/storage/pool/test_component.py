"""Promises of ZfsPool."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.contracts.machines import Machine, SshTarget
from components.storage.pool.component import ZfsPool
from stacks.load import parse_settings
from stacks.settings import Site
from tests.recorded import Recorded
from tests.stacks.sites import changed, tree

GUID = {"command:remote:Command": {"stdout": '{"guid": "14894520421478297340"}'}}


@pytest.fixture(params=["dev", "prod"])
def recorded(request: pytest.FixtureRequest, record: Callable[..., Recorded]) -> Recorded:
    return record(lambda: program(parse_settings(tree(request.param))), outputs=GUID)


def program(site: Site) -> dict[str, Any]:
    ready = pulumi.ComponentResource("test:index:Ready", "ready")
    host = site.hosts["hen"]
    pool = ZfsPool("nest", site, on=Machine("hen", host, SshTarget.of("hen", host, site.access), ready, "0" * 32))
    return {
        "guid": pool.guid,
        "homes": [pool.homes.name, pool.homes.mountpoint, pool.homes.mount_unit],
        "shares": {name: [each.name, each.mountpoint, each.mount_unit] for name, each in pool.shares.items()},
    }


def test_plan_shows_every_disk(recorded: Recorded) -> None:
    pool = recorded.one("nest", "henhouse:storage:ZfsPool")
    assert len(set(pool.inputs["disks"])) == 28
    assert pool.outputs["disks"] == pool.inputs["disks"]
    disks = recorded.all("henhouse:storage:Disk", parent="nest")
    assert {disk.inputs["id"] for disk in disks} == set(pool.inputs["disks"])
    places = Counter(disk.inputs["place"] for disk in disks)
    assert places == {"raidz2-0": 6, "raidz2-1": 6, "raidz2-2": 6, "raidz2-3": 6, "log": 2, "spare": 2}


def test_pool_outlives_the_program(recorded: Recorded) -> None:
    for name in ("hen-pool", "hen-pool-command"):
        assert recorded.one(name).protect, name
        assert recorded.one(name).retain_on_delete, name


def test_deleting_runs_nothing(recorded: Recorded) -> None:
    for each in recorded.all("command:remote:Command"):
        assert each.inputs["delete"].startswith(":"), each.name


def test_pool_comes_after_its_programs(recorded: Recorded) -> None:
    packages = recorded.one("hen-zfs-command")
    assert packages.urn in recorded.one("hen-pool-command").depends_on


def test_what_others_get(recorded: Recorded) -> None:
    assert recorded.result == {
        "guid": "14894520421478297340",
        "homes": ["nest/homes", "/nest/homes", "nest-homes.mount"],
        "shares": {},
    }


def test_others_get_each_share_by_name(record: Callable[..., Recorded]) -> None:
    settings = changed(tree("dev"), {"storage": {"shares": {"project": {}, "my-data": {}}}})
    assert record(lambda: program(parse_settings(settings)), outputs=GUID).result["shares"] == {
        "my-data": ["nest/my-data", "/nest/my-data", r"nest-my\x2ddata.mount"],
        "project": ["nest/project", "/nest/project", "nest-project.mount"],
    }
