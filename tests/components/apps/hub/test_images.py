"""Promises of the hub's resources where images are pulled before people ask for them."""

import json
from typing import Any, Final

import kubernetes_validate
import pytest

from components.apps.hub.images import FILES, STATUS_FILE
from components.apps.hub.site_json import DATABASE_DIRECTORY, config_files, site_json
from stacks.load import parse_settings
from stacks.settings import Site
from tests.components.apps.hub.test_component import MINOR, objects, program
from tests.programs.hub.asking import NO_PROVISIONER, site
from tests.recorded import Recorded
from tests.stacks.sites import changed, tree

MENU: Final = {"repository": "quay.io/team/lab", "user": "grace", "password": "T0P-S3CRET"}
PROFILES: Final = [
    {"slug": "lab", "display_name": "Lab"},
    {"slug": "r", "display_name": "R", "kubespawner_override": {"image": "quay.io/team/r:4.5"}},
]


def values(of: Site, **names: str) -> dict[str, Any]:
    data = json.loads(site_json(of, NO_PROVISIONER, hub="hub", users="users", claim="homes", **names))
    found: dict[str, Any] = data.get("prepuller", {})
    return found


@pytest.mark.parametrize(
    "off",
    [
        {"prePuller": {"continuous": {"enabled": False}}},
        {"prePuller": {"hook": {"enabled": False}, "continuous": {"enabled": False}}},
        {"prePuller": {"continuous": {"enabled": False}}, "image_menu": {"repository": "quay.io/team/lab"}},
    ],
    ids=["off", "off, as in the chart", "a menu, and off"],
)
def test_site_that_pulls_nothing_does_not_see_the_nodes(off: dict[str, Any]) -> None:
    plain, without = program(site()), program(site(**off))
    assert {each.name for each in plain} - {each.name for each in without} == {"hub-nodes-role", "hub-nodes-binding"}
    assert not set(FILES) & set(config_files(site(**off).hub))
    assert not values(site(**off))


@pytest.fixture(scope="module")
def pulling() -> Recorded:
    settings = {"mirrors": {"registry": None}, "hub": {"image_menu": MENU, "profile_list": PROFILES}}
    return program(parse_settings(changed(tree("dev"), settings)))


def test_menu_is_pulled_and_adds_nothing_but_the_sight_of_nodes(pulling: Recorded) -> None:
    off = program(site(prePuller={"continuous": {"enabled": False}}))
    added = {each.name for each in pulling} - {each.name for each in off}
    assert added == {"hub-pull-secret", "hub-nodes-role", "hub-nodes-binding"}
    binding = pulling.one("hub-nodes-binding").inputs
    account = pulling.one("hub-account").outputs["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": "hub"}]
    assert binding["roleRef"]["name"] == pulling.one("hub-nodes-role").outputs["metadata"]["name"]
    for each in objects(pulling):
        named = {**each.inputs, "metadata": {"name": "given-by-the-provider", **each.inputs.get("metadata", {})}}
        kubernetes_validate.validate(named, MINOR, strict=True)


def test_program_is_in_the_configuration_and_knows_what_to_pull(pulling: Recorded) -> None:
    data = pulling.one("hub-config").inputs["data"]
    assert set(FILES) <= set(data)
    known = json.loads(data["site.json"])["prepuller"]
    assert known["images"] == [site().hub.server_image, "quay.io/team/r:4.5"]
    assert known["extra_images"] == []
    assert known["pull_secrets"] == [pulling.one("hub-pull-secret").inputs["metadata"]["name"]]
    assert known["file"] == f"{DATABASE_DIRECTORY}/{STATUS_FILE}"


def test_settings_say_what_else_is_pulled() -> None:
    extra = {"gpu": {"name": "quay.io/team/gpu", "tag": "1"}, "big": {"name": "quay.io/team/big", "tag": "2"}}
    without = site(profile_list=PROFILES, prePuller={"pullProfileListImages": False, "extraImages": extra})
    assert values(without)["images"] == [without.hub.server_image]
    assert values(without)["extra_images"] == ["quay.io/team/big:2", "quay.io/team/gpu:1"]
    assert values(without)["pull_secrets"] == []


@pytest.mark.parametrize(
    ("hub", "waits"),
    [
        ({}, True),
        ({"prePuller": {}}, True),
        ({"prePuller": {"hook": {"enabled": True}}}, True),
        ({"prePuller": {"hook": {"enabled": False}}}, False),
        ({"image_menu": {"repository": "quay.io/team/lab"}}, False),
        ({"image_menu": {"repository": "quay.io/team/lab"}, "prePuller": {"hook": {"enabled": True}}}, False),
    ],
    ids=["nothing said", "images are pulled", "said", "switched off", "a menu", "a menu, and said"],
)
def test_new_server_image_waits_for_the_nodes_unless_there_is_a_menu(hub: dict[str, Any], waits: bool) -> None:
    assert values(site(**hub))["new_image_waits"] is waits


def test_without_pulls_nothing_is_waited_for() -> None:
    assert not site(prePuller={"continuous": {"enabled": False}, "hook": {"enabled": True}}).hub.new_image_waits
