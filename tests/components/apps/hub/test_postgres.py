"""Promises of the hub's resources with PostgreSQL."""

import json
from typing import Any, Final

import kubernetes_validate
import pytest

from tests.components.apps.hub.test_component import MINOR, objects, pod, program
from tests.programs.hub.asking import site
from tests.recorded import Recorded

DATABASE: Final = {
    "type": "postgres",
    "url": "postgresql://hub@db.example.org:6000/hub",
    "password": "T0P-S3CRET",
    "networks": ["192.0.2.10/32", "198.18.0.77/32"],
}


@pytest.fixture(scope="module")
def hub() -> Recorded:
    return program(site(db=DATABASE))


@pytest.fixture(scope="module")
def with_file() -> Recorded:
    return program(site())


def rules(recorded: Recorded) -> list[Any]:
    found: list[Any] = recorded.one("hub-hub-policy").inputs["spec"]["egress"]
    return found


def test_every_object_fits_its_schema(hub: Recorded) -> None:
    for each in objects(hub):
        named = {**each.inputs, "metadata": {"name": "given-by-the-provider", **each.inputs["metadata"]}}
        kubernetes_validate.validate(named, MINOR, strict=True)


def test_password_is_in_the_hubs_secret_alone(hub: Recorded) -> None:
    found = [each.name for each in hub if "T0P-S3CRET" in json.dumps(each.inputs, default=str)]
    assert found == ["hub-keys"]
    assert "stringData" in hub.one("hub-keys").secret_keys
    values = json.loads(hub.one("hub-config").inputs["data"]["site.json"])
    assert values["database_url"].startswith("postgresql+psycopg2://hub@db.example.org:6000/hub?")
    assert values["database_upgrades"] is False


def test_hub_reaches_its_database_and_no_more(hub: Recorded, with_file: Recorded) -> None:
    (rule,) = [each for each in rules(hub) if each not in rules(with_file)]
    assert [each["ipBlock"] for each in rule["to"]] == [{"cidr": "192.0.2.10/32"}, {"cidr": "198.18.0.77/32"}]
    assert [port["port"] for port in rule["ports"]] == [6000]


def test_rehearsal_reaches_the_database_as_the_hub_does(hub: Recorded) -> None:
    assert hub.one("hub-rehearsal-policy").inputs["spec"]["egress"] == rules(hub)
    before = hub.one("hub-rehearsal").inputs["spec"]["template"]["spec"]["initContainers"]
    assert [each["name"] for each in before] == ["wait-for-cluster", "try-database"]


def test_database_anywhere_is_nowhere_inside() -> None:
    *_, rule = rules(program(site(db={**DATABASE, "networks": ["0.0.0.0/0"]})))
    (peer,) = rule["to"]
    assert "10.0.0.0/8" in peer["ipBlock"]["except"]


def test_hub_starts_when_both_the_cluster_and_the_database_are_there(hub: Recorded, with_file: Recorded) -> None:
    names = [each["name"] for each in pod(hub, "hub-server")["initContainers"]]
    assert names == ["wait-for-cluster", "wait-for-database"]
    assert [each["name"] for each in pod(with_file, "hub-server")["initContainers"]] == ["wait-for-cluster"]


def test_file_stays_where_it_is(hub: Recorded, with_file: Recorded) -> None:
    """A site that moves, and moves back, finds what it left."""
    for name in ("hub-database-volume", "hub-database-claim"):
        before, after = with_file.one(name), hub.one(name)
        assert after.inputs == before.inputs
        assert after.protect
        assert after.retain_on_delete
    mounts = pod(hub, "hub-server")["containers"][0]["volumeMounts"]
    assert "/srv/jupyterhub" in {each["mountPath"] for each in mounts}
