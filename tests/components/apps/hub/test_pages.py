"""The hub's pages in the cluster: a ConfigMap of their own, which the hub restarts for."""

import base64
import json
from pathlib import Path

import kubernetes_validate
import pytest

from components.apps.hub.pages import PAGES_DIRECTORY, key_of
from stacks.checks.mounts import HUB_PATHS, HUB_VOLUMES
from stacks.settings.pages import own_templates
from tests.components.apps.hub.test_component import MINOR, pod, program
from tests.components.apps.hub.test_pages_repository import REPOSITORY
from tests.programs.hub.asking import site
from tests.recorded import Recorded
from tests.stacks.test_fragments import parsed, written
from tests.stacks.test_pages import GOOD


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    stack: Path = tmp_path_factory.mktemp("stack")
    written(stack, GOOD, "pages")
    return program(parsed(stack, pages="pages"))


@pytest.fixture(scope="module")
def fetched() -> Recorded:
    return program(site(pages_repository=REPOSITORY))


def test_files_come_to_where_the_fragment_looks_for_them(hub: Recorded) -> None:
    made = hub.one("hub-pages").inputs
    named = {**made, "metadata": {"name": "given-by-the-provider", **made["metadata"]}}
    kubernetes_validate.validate(named, MINOR, strict=True)
    assert made["immutable"] is True
    spec = pod(hub, "hub-server")
    (volume,) = [each for each in spec["volumes"] if each["name"] == "pages"]
    pages, announcements = (each["configMap"] for each in volume["projected"]["sources"])
    assert pages["name"] == "hub-pages-1a2b3c4d"
    assert announcements == {"name": "hub-announcements", "optional": True}, "it may come later, and go"
    found = {}
    for item in pages["items"]:
        in_text, in_base64 = made["data"].get(item["key"]), made["binaryData"].get(item["key"])
        found[item["path"]] = in_text.encode() if in_text is not None else base64.b64decode(in_base64)
    ours = {f"henhouse/{name}": text.encode() for name, text in own_templates().items()}
    of_the_site = {f"site/{name}": text.encode() if isinstance(text, str) else text for name, text in GOOD.items()}
    assert found == {**ours, **of_the_site}
    (mount,) = [each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "pages"]
    assert mount == {"name": "pages", "mountPath": PAGES_DIRECTORY, "readOnly": True}


def test_announcements_change_no_pod(hub: Recorded) -> None:
    """The kubelet brings them to a pod that runs: neither the pod nor what makes it start again may differ."""
    before = program(site())
    assert "hub-announcements" not in {each.name for each in before}
    told = [{"text": "<b>Closed</b>", "level": "danger", "where": ["login", "home"]}]
    after = program(site(announcements=told))
    for name in ("hub-server", "hub-proxy", "hub-config", "hub-pages", "hub-keys"):
        assert after.one(name).inputs == before.one(name).inputs, name
    made = after.one("hub-announcements").inputs
    kubernetes_validate.validate(made, MINOR, strict=True)
    assert made["metadata"]["name"] == "hub-announcements"
    assert json.loads(made["data"]["announcements.json"]) == told
    assert not made.get("immutable")


def test_proxy_does_not_change(hub: Recorded) -> None:
    assert pod(hub, "hub-proxy") == pod(program(site()), "hub-proxy")


def test_no_two_files_have_one_key() -> None:
    assert key_of("site/static/a.b") != key_of("site/static/a/b")


def test_places_of_ours_are_known_to_the_checks(hub: Recorded, fetched: Recorded) -> None:
    """What a site may not mount over is what the pod has."""
    spec = pod(hub, "hub-server")
    of_a_folder = {each["name"] for each in spec["volumes"]}
    of_a_repository = {each["name"] for each in pod(fetched, "hub-server")["volumes"]}
    assert of_a_folder | of_a_repository == {*HUB_VOLUMES}
    mounts = {each["mountPath"] for each in pod(fetched, "hub-server")["containers"][0]["volumeMounts"]}
    assert mounts - {"/tmp"} <= {*HUB_PATHS}
