"""Promises of the hub's resources with pages from a git repository."""

import json
from typing import Any, Final

import kubernetes_validate
import pytest

from components.apps.hub.pages_repository import FETCHER
from tests.components.apps.hub.test_component import MINOR, objects, pod, program
from tests.programs.hub.asking import site
from tests.recorded import Recorded
from tests.test_pods import broken

REPOSITORY: Final = {
    "url": "https://git.example.org:8443/flock/pages",
    "commit": "1f" * 20,
    "folder": "hub",
    "password": "T0P-S3CRET",
    "networks": ["192.0.2.10/32"],
}


@pytest.fixture(scope="module")
def hub() -> Recorded:
    return program(site(pages_repository=REPOSITORY, extraEnv={"https_proxy": "http://proxy.example.org:3128"}))


@pytest.fixture(scope="module")
def plain() -> Recorded:
    return program(site())


def fetcher(spec: dict[str, Any]) -> dict[str, Any]:
    found: list[dict[str, Any]] = [each for each in spec["initContainers"] if each["name"] == FETCHER]
    (only,) = found
    return only


def test_every_object_fits_its_schema_and_the_pod_security_standard(hub: Recorded) -> None:
    for each in objects(hub):
        named = {**each.inputs, "metadata": {"name": "given-by-the-provider", **each.inputs["metadata"]}}
        kubernetes_validate.validate(named, MINOR, strict=True)
    assert broken(pod(hub, "hub-server")) == []
    assert broken(hub.one("hub-rehearsal").inputs["spec"]["template"]["spec"]) == []


def test_pages_are_tried_before_the_hub_restarts(hub: Recorded) -> None:
    of_job = hub.one("hub-rehearsal").inputs["spec"]["template"]["spec"]
    tried, started = fetcher(of_job), fetcher(pod(hub, "hub-server"))
    assert tried["command"][-1] == "rehearse"
    assert started["command"][-1] == "start"
    assert of_job["initContainers"][0]["name"] == "wait-for-cluster", "what it may connect to is known then"
    for each in ("image", "env", "volumeMounts"):
        assert tried[each] == started[each], each
    assert started["env"] == pod(hub, "hub-server")["containers"][0]["env"], "a proxy on the way to it"


def test_hub_finds_what_was_fetched(hub: Recorded) -> None:
    there = {"name": "fetched-pages", "mountPath": "/etc/jupyterhub-fetched-pages"}
    for spec in (pod(hub, "hub-server"), hub.one("hub-rehearsal").inputs["spec"]["template"]["spec"]):
        assert there in fetcher(spec)["volumeMounts"]
        assert {**there, "readOnly": True} in spec["containers"][0]["volumeMounts"]
        assert {"name": "fetched-pages", "emptyDir": {}} in spec["volumes"]
    values = json.loads(hub.one("hub-config").inputs["data"]["site.json"])
    assert values["pages"]["site"] == "/etc/jupyterhub-fetched-pages/site"
    assert values["pages"]["copies"].startswith("/srv/jupyterhub/"), "on the hub's volume"


def test_password_is_in_the_hubs_secret_alone(hub: Recorded) -> None:
    found = [each.name for each in hub if "T0P-S3CRET" in json.dumps(each.inputs, default=str)]
    assert found == ["hub-keys"]
    assert "stringData" in hub.one("hub-keys").secret_keys


def test_hub_reaches_the_repository_and_no_more(hub: Recorded, plain: Recorded) -> None:
    for name in ("hub-hub-policy", "hub-rehearsal-policy"):
        rules = hub.one(name).inputs["spec"]["egress"]
        (rule,) = [each for each in rules if each not in plain.one("hub-hub-policy").inputs["spec"]["egress"]]
        assert [each["ipBlock"] for each in rule["to"]] == [{"cidr": "192.0.2.10/32"}]
        assert [port["port"] for port in rule["ports"]] == [8443]


def test_repository_anywhere_is_nowhere_inside() -> None:
    without = {name: value for name, value in REPOSITORY.items() if name != "networks"}
    policy = program(site(pages_repository=without)).one("hub-hub-policy")
    blocks = [peer["ipBlock"] for rule in policy.inputs["spec"]["egress"] for peer in rule["to"] if "ipBlock" in peer]
    (anywhere,) = [each for each in blocks if each["cidr"] == "0.0.0.0/0"]
    assert "10.0.0.0/8" in anywhere["except"]


def test_other_sites_have_none_of_it(plain: Recorded) -> None:
    assert FETCHER not in str(pod(plain, "hub-server"))
    assert "fetch_pages.py" not in plain.one("hub-config").inputs["data"]
