"""Promises of the hub's resources where people choose something before their server starts."""

import json
from typing import Any, Final

import kubernetes_validate
import pytest

from components.apps.hub.menu import FILES
from components.apps.hub.site_json import config_files, site_json
from stacks.load import parse_settings
from stacks.settings import Site
from tests.components.apps.hub.test_component import MINOR, objects, pod, program
from tests.components.apps.hub.test_private_images import accounts_in
from tests.programs.hub.asking import NO_PROVISIONER
from tests.programs.hub.asking import site as with_hub
from tests.recorded import Recorded
from tests.stacks.sites import changed, tree

MENU: Final = {"repository": "quay.io/team/lab"}
ACCOUNT: Final = {"user": "grace", "password": "T0P-S3CRET"}


def site(menu: dict[str, Any], **mirrors: object) -> Site:
    return parse_settings(changed(tree("dev"), {"mirrors": mirrors, "hub": {"image_menu": menu}}))


@pytest.fixture(scope="module")
def private() -> Recorded:
    """Provide a hub with a menu of a registry that wants to know who asks."""
    return program(site({**MENU, **ACCOUNT}, registry=None))


def registry_rule(recorded: Recorded) -> dict[str, Any]:
    """Return what the hub may reach besides what every hub may."""
    every = len(program(with_hub()).one("hub-hub-policy").inputs["spec"]["egress"])
    *_, last = recorded.one("hub-hub-policy").inputs["spec"]["egress"]
    assert len(recorded.one("hub-hub-policy").inputs["spec"]["egress"]) == every + 1
    rule: dict[str, Any] = last
    return rule


def test_site_that_asks_nothing_has_the_objects_it_had() -> None:
    """No file, no value, no rule: the ConfigMap keeps its content, so that nothing of a living hub is replaced."""
    assert not set(FILES) & set(config_files(with_hub().hub))
    assert "menu" not in json.loads(site_json(with_hub(), NO_PROVISIONER, hub="hub", users="users", claim="homes"))
    assert "hub-pull-secret" not in {each.name for each in program(with_hub())}


@pytest.mark.parametrize("asked", [{"sizes": "doubling"}, {"image_menu": MENU}], ids=["sizes", "images"])
def test_choices_change_the_configuration_and_no_object_that_lasts(asked: dict[str, Any]) -> None:
    plain, asking = program(with_hub()), program(with_hub(**asked))
    assert {each.name for each in asking} == {each.name for each in plain}
    changing = ("hub-config", "hub-hub-policy", "hub-rehearsal-policy")
    kept = {each.name: each.inputs for each in plain if each.name not in changing}
    assert {each.name: each.inputs for each in asking if each.name in kept} == kept
    assert set(FILES) <= set(asking.one("hub-config").inputs["data"])


def test_sizes_alone_open_no_way_out() -> None:
    plain, sizes = program(with_hub()), program(with_hub(sizes="doubling"))
    assert sizes.one("hub-hub-policy").inputs == plain.one("hub-hub-policy").inputs


def test_rack_reads_tags_of_its_own_registry_alone() -> None:
    rule = registry_rule(program(site(MENU)))
    assert rule == {"to": [{"ipBlock": {"cidr": "198.18.0.1/32"}}], "ports": [{"protocol": "TCP", "port": 5000}]}


def test_registry_with_a_name_is_on_the_internet_and_not_inside(private: Recorded) -> None:
    rule = registry_rule(private)
    (peer,) = rule["to"]
    assert peer["ipBlock"]["cidr"] == "0.0.0.0/0"
    servers = program(with_hub()).one("hub-servers-policy").inputs["spec"]["egress"][-1]["to"][0]["ipBlock"]
    assert peer["ipBlock"]["except"] == servers["except"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 443}]


def test_registry_in_named_networks_is_there_alone() -> None:
    menu = {**MENU, "networks": ["192.0.2.0/28", "10.9.0.0/24"]}
    rule = registry_rule(program(site(menu, registry=None)))
    assert [peer["ipBlock"] for peer in rule["to"]] == [{"cidr": "192.0.2.0/28"}, {"cidr": "10.9.0.0/24"}]


def test_every_object_fits_its_schema(private: Recorded) -> None:
    for each in objects(private):
        named = {**each.inputs, "metadata": {"name": "given-by-the-provider", **each.inputs["metadata"]}}
        kubernetes_validate.validate(named, MINOR, strict=True)


def test_password_is_in_secrets_alone(private: Recorded) -> None:
    where = {each.name for each in private if "T0P-S3CRET" in json.dumps(each.inputs, default=str)}
    assert where == {"hub-keys"}
    assert private.one("hub-keys").inputs["stringData"]["registry-password"] == "T0P-S3CRET"
    assert "stringData" in private.one("hub-keys").secret_keys


def test_nodes_pull_with_the_same_account(private: Recorded) -> None:
    secret = private.one("hub-pull-secret")
    assert secret.inputs["metadata"]["namespace"] == "users"
    assert secret.inputs["type"] == "kubernetes.io/dockerconfigjson"
    assert "data" in secret.secret_keys
    assert accounts_in(secret) == {"quay.io": b"grace:T0P-S3CRET"}
    values = json.loads(private.one("hub-config").inputs["data"]["site.json"])
    assert values["server"]["pull_secrets"] == [secret.inputs["metadata"]["name"]]


def test_account_of_docker_hub_has_its_old_name() -> None:
    menu = {"repository": "docker.io/team/lab", **ACCOUNT}
    secret = program(site(menu, registry=None)).one("hub-pull-secret")
    assert set(accounts_in(secret)) == {"https://index.docker.io/v1/"}


def test_hub_may_do_no_more_in_the_cluster(private: Recorded) -> None:
    rules = program(with_hub()).one("hub-spawner-role").inputs["rules"]
    assert private.one("hub-spawner-role").inputs["rules"] == rules
    assert private.one("hub-nodes-role").inputs["rules"] == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}
    ]
    assert pod(private, "hub-server")["volumes"] == pod(program(with_hub()), "hub-server")["volumes"]
