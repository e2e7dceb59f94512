"""The rack's stand-ins of images differ from upstream's only where lab/mirror/images/upstream.toml says so."""

import json
import re
import tarfile
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from components.apps.hub.database import HUB_USER
from components.apps.hub.proxy import PROXY_USER
from components.network.edge.workloads import NGINX_USER
from lab.mirror.images import RECIPES, all_images
from lab.versions import SITE
from tests.lab.mirror.containerfile import Configuration, configuration

TABLE: Final[dict[str, dict[str, Any]]] = tomllib.loads((RECIPES / "upstream.toml").read_text())
OF_OTHERS: Final = ("account", "from", "otherwise", "ours", "pinned")
"""Keys of the table that are not an image's configuration."""
DEBIAN: Final = {"localhost/debian": (RECIPES / "debian/Containerfile").read_text()}


def upstreams(recipe: str) -> dict[str, object]:
    """Return upstream's configuration, flat."""
    said = {key: value for key, value in TABLE[recipe].items() if key not in OF_OTHERS}
    found = Configuration(**said)
    found.env = Configuration().env | found.env
    return found.flat()


def ours(recipe: str) -> dict[str, object]:
    """Return our stand-in's configuration, flat."""
    return configuration((RECIPES / recipe / "Containerfile").read_text(), DEBIAN).flat()


def test_every_stand_in_is_compared() -> None:
    assert set(TABLE) == {image.recipe for image in all_images()}


@pytest.mark.parametrize("recipe", TABLE)
def test_table_was_written_at_the_version_that_is_pinned(recipe: str) -> None:
    pinned = TABLE[recipe]["pinned"]
    assert pinned == {name: SITE[name] for name in pinned}, "read upstream's recipes at `from` again"
    assert TABLE[recipe]["from"]
    tags = [image.tag for image in all_images() if image.recipe == recipe]
    assert all(any(version in tag for version in pinned.values()) for tag in tags)


@pytest.mark.parametrize("recipe", TABLE)
def test_stand_in_is_configured_as_upstreams_image(recipe: str) -> None:
    other: dict[str, Any] = TABLE[recipe].get("ours", {})
    expected = upstreams(recipe) | {key: each["value"] for key, each in other.items()}
    # A variable or a capability that only upstream has is listed with an empty value.
    assert {key: value for key, value in expected.items() if value != ""} == ours(recipe)


@pytest.mark.parametrize("recipe", TABLE)
def test_listed_difference_is_one_and_has_a_reason(recipe: str) -> None:
    theirs = upstreams(recipe)
    for key, each in TABLE[recipe].get("ours", {}).items():
        assert each["value"] != theirs.get(key), f"{key} is as upstream's by now"
        assert each["because"]


def test_pods_run_as_the_users_of_upstreams_images() -> None:
    users = {"k8s-hub": HUB_USER, "configurable-http-proxy": PROXY_USER, "nginx": NGINX_USER}
    for recipe, user in users.items():
        account = TABLE[recipe]["account"]
        # A pod's group has its user's number.
        assert (account["uid"], account["gid"]) == (user, user)


@pytest.mark.parametrize("recipe", [name for name in TABLE if "account" in TABLE[name]])
def test_stand_in_has_upstreams_account(recipe: str) -> None:
    account = TABLE[recipe]["account"]
    name, uid, gid = account["name"], account["uid"], account["gid"]
    if (RECIPES / recipe / "passwd").exists():
        assert f"{name}:x:{uid}:{gid}:" in (RECIPES / recipe / "passwd").read_text()
        assert f"{name}:x:{gid}:" in (RECIPES / recipe / "group").read_text()
    elif name:
        text = (RECIPES / recipe / "Containerfile").read_text()
        assert re.search(rf"useradd .*--uid {uid}\b.* {name}\b", text)


def capabilities(layout: Path) -> set[str]:
    """Return the files in an OCI layout's image that have capabilities."""

    def blob(described: dict[str, str]) -> Path:
        return layout / "blobs" / described["digest"].replace(":", "/")

    index = json.loads((layout / "index.json").read_text())
    found = set()
    for layer in json.loads(blob(index["manifests"][0]).read_text())["layers"]:
        with tarfile.open(blob(layer)) as archive:
            found |= {f"/{each.name}" for each in archive if "SCHILY.xattr.security.capability" in each.pax_headers}
    return found


@pytest.mark.hosts
def test_capability_of_a_file_reaches_the_image() -> None:
    (coredns,) = (image for image in all_images() if image.recipe == "coredns")
    assert capabilities(coredns.layout.make() / "oci") == set(TABLE["coredns"]["capabilities"])
