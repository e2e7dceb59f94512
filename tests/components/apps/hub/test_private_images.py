"""Promises of the hub's resources where nodes pull images with an account."""

import base64
import json
from typing import Any, Final

import kubernetes_validate
import pytest

from components.apps.hub.pulling import PULL_SECRET
from stacks.load import parse_settings
from stacks.settings import Site
from tests.components.apps.hub.test_component import MINOR, objects, pod, program
from tests.recorded import Recorded, Registration
from tests.stacks.sites import changed, tree

PRIVATE: Final = "ghcr.io/team/lab:1"
MENU: Final = {"repository": "docker.io/team/lab", "user": "mary", "password": "M3NU-S3CRET"}
ACCOUNT: Final = {"username": "grace", "password": "T0P-S3CRET"}


def site(*hosts: str, password: str = "T0P-S3CRET", **hub: object) -> Site:
    accounts = {host: {**ACCOUNT, "password": password} for host in hosts}
    settings = {"server_image": PRIVATE, "imagePullSecrets": accounts, **hub}
    return parse_settings(changed(tree("dev"), {"mirrors": {"registry": None}, "hub": settings}))


def accounts_in(secret: Registration) -> dict[str, bytes]:
    """Return what nodes find in it, by the name under which they look it up."""
    held = json.loads(base64.b64decode(secret.inputs["data"][".dockerconfigjson"]))
    return {name: base64.b64decode(each["auth"]) for name, each in held["auths"].items()}


def values(recorded: Recorded) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(recorded.one("hub-config").inputs["data"]["site.json"])
    return found


@pytest.fixture(scope="module")
def private() -> Recorded:
    """Provide a hub without a menu, whose server image is private."""
    return program(site("ghcr.io"))


def test_site_without_accounts_has_no_secret_for_them() -> None:
    plain = program(site())
    assert not [each.name for each in plain if "pull-secret" in each.name]
    assert values(plain)["server"]["pull_secrets"] == []
    assert "imagePullSecrets" not in pod(plain, "hub-server")


def test_private_server_image_needs_no_menu(private: Recorded) -> None:
    secret = private.one("hub-pull-secret")
    assert secret.inputs["metadata"] == {"name": PULL_SECRET, "namespace": "users"}
    assert secret.inputs["type"] == "kubernetes.io/dockerconfigjson"
    assert accounts_in(secret) == {"ghcr.io": b"grace:T0P-S3CRET"}
    assert values(private)["server"]["pull_secrets"] == [PULL_SECRET]


def test_several_registries_are_in_one_secret_and_the_menus_with_them() -> None:
    extra = {"extraImages": {"course": {"name": "registry.example.org:5000/course", "tag": "2026"}}}
    several = program(site("ghcr.io", "registry.example.org:5000", prePuller=extra, image_menu=MENU))
    assert accounts_in(several.one("hub-pull-secret")) == {
        "ghcr.io": b"grace:T0P-S3CRET",
        "registry.example.org:5000": b"grace:T0P-S3CRET",
        "https://index.docker.io/v1/": b"mary:M3NU-S3CRET",
    }


def test_images_are_pulled_beforehand_with_the_same_accounts() -> None:
    known = values(program(site("ghcr.io", prePuller={})))["prepuller"]
    assert known["images"] == [PRIVATE]
    assert known["pull_secrets"] == [PULL_SECRET]


def test_password_is_in_that_secret_alone_and_kept_secret(private: Recorded) -> None:
    encoded = base64.b64encode(b"grace:T0P-S3CRET").decode()
    for each in private:
        assert "T0P-S3CRET" not in json.dumps(each.inputs, default=str), each.name
        assert encoded not in json.dumps(each.inputs, default=str), each.name
    assert "data" in private.one("hub-pull-secret").secret_keys


def test_new_password_changes_that_secret_in_place_and_nothing_else(private: Recorded) -> None:
    """A server's next start has it; neither the hub nor a server that runs starts again for it."""
    renewed = program(site("ghcr.io", password="N3W-S3CRET"))
    before, after = ({each.name: each.inputs for each in recorded} for recorded in (private, renewed))
    assert {name for name in before if before[name] != after[name]} == {"hub-pull-secret"}
    assert before.keys() == after.keys()
    assert private.one("hub-pull-secret").inputs["metadata"] == renewed.one("hub-pull-secret").inputs["metadata"]
    # Kubernetes refuses a change of one that is immutable.
    assert "immutable" not in private.one("hub-pull-secret").inputs


def test_hub_starts_once_the_secret_of_servers_is_there(private: Recorded) -> None:
    assert "hub-pull-secret" in private.one("hub-server").depends_on_names


def test_hubs_own_pods_have_an_account_where_their_images_need_one(private: Recorded) -> None:
    assert "imagePullSecrets" not in pod(private, "hub-server")
    images = {
        "image": "ghcr.io/team/hub:1",
        "proxy_image": "ghcr.io/team/proxy:1",
        "server_image": "quay.io/team/lab:1",
    }
    own = program(site("ghcr.io", "quay.io", **images, extraEnv={"TRIED": "yes"}))
    secret = own.one("hub-own-pull-secret")
    assert secret.inputs["metadata"] == {"name": PULL_SECRET, "namespace": "hub"}
    assert accounts_in(secret) == {"ghcr.io": b"grace:T0P-S3CRET"}
    for name in ("hub-server", "hub-proxy"):
        assert pod(own, name)["imagePullSecrets"] == [{"name": PULL_SECRET}]
        assert "hub-own-pull-secret" in own.one(name).depends_on_names
    rehearsal = own.one("hub-rehearsal")
    assert rehearsal.inputs["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": PULL_SECRET}]
    assert "hub-own-pull-secret" in rehearsal.depends_on_names


def test_account_of_the_menu_is_for_user_servers_alone() -> None:
    """A token of it that has ended keeps no hub from starting, whose images are of the same registry."""
    menu = program(site(image_menu={**MENU, "repository": "quay.io/team/lab"}))
    assert "imagePullSecrets" not in pod(menu, "hub-server")
    assert accounts_in(menu.one("hub-pull-secret")) == {"quay.io": b"mary:M3NU-S3CRET"}


def test_every_object_fits_its_schema(private: Recorded) -> None:
    for each in objects(private):
        named = {**each.inputs, "metadata": {"name": "given-by-the-provider", **each.inputs["metadata"]}}
        kubernetes_validate.validate(named, MINOR, strict=True)
