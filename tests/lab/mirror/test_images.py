"""The images that the mirror holds are those that kubeadm, Calico and the settings ask for."""

import json
import re
import subprocess
from datetime import date, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lab.mirror.images import RECIPES, Image, all_images, calico_images, kubernetes_images
from lab.mirror.programs import CALICO, KUBERNETES
from lab.mirror.registry import registry_configuration
from lab.versions import SITE


def test_names_are_unique_and_carry_their_upstream_host() -> None:
    references = [image.reference for image in all_images()]
    assert len(references) == len(set(references))
    assert {image.name.partition("/")[0] for image in all_images()} == {"registry.k8s.io", "quay.io", "docker.io"}


@pytest.mark.parametrize("image", all_images(), ids=lambda image: str(image.reference))
def test_containerfile_pulls_nothing_and_gets_what_it_copies(image: Image) -> None:
    text = (image.directory / "Containerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", text, flags=re.MULTILINE)) <= {"scratch", "localhost/debian"}
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, flags=re.MULTILINE))
    assert set(re.findall(r"--from=(\S+)", text)) == {*image.contexts, *stages}
    assert set(re.findall(r"^ARG (\S+)", text, flags=re.MULTILINE)) == set(image.arguments)


def test_every_recipe_is_used() -> None:
    directories = {path.name for path in RECIPES.iterdir() if path.is_dir()}
    assert directories == {"debian", *(image.recipe for image in all_images())}


def pinned(recipe: str, file: str = "requirements.txt") -> dict[str, str]:
    """Return versions by package from a file of requirements."""
    lines = (RECIPES / recipe / file).read_text().splitlines()
    found = [line.removesuffix(" \\") for line in lines if not line.startswith((" ", "#"))]
    assert all(re.fullmatch(r"[a-z0-9-]+==\S+", each) for each in found)
    return dict(each.split("==") for each in found)


def test_hub_image_holds_what_upstreams_does_at_the_tag() -> None:
    """A newer package would have what a site does not."""
    upstream = pinned("k8s-hub", "upstream.txt")
    told = (RECIPES / "k8s-hub/upstream.txt").read_text().splitlines()[0]
    assert f"quay.io/jupyterhub/k8s-hub:{SITE['k8s_hub']} " in told, "the versions are another image's: look them up"
    assert upstream["jupyterhub"] == SITE["jupyterhub"]
    assert pinned("k8s-hub") == upstream


def test_server_image_holds_nothing_newer_than_its_tag() -> None:
    """Upstream's is made of what was the newest on the day; JupyterHub in it may be another than the hub's."""
    after = date.fromisoformat(SITE["base_notebook"]) + timedelta(days=1)
    told = (RECIPES / "base-notebook/requirements.txt").read_text().splitlines()[1]
    assert f" --exclude-newer {after}T00:00:00Z " in told
    assert {"jupyterhub", "jupyterlab"} <= set(pinned("base-notebook"))


def test_proxy_image_holds_the_proxy_of_versions_toml() -> None:
    lock = json.loads((RECIPES / "configurable-http-proxy/package-lock.json").read_text())
    proxy = lock["packages"]["node_modules/configurable-http-proxy"]
    assert proxy["version"] == SITE["configurable_http_proxy"]
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


def test_registry_only_reads_what_it_serves() -> None:
    settings = json.loads(registry_configuration(Path("/x"), IPv4Address("198.18.0.1"), 5000, read_only=True))
    assert settings["storage"]["maintenance"]["readonly"] == {"enabled": True}
    assert settings["http"]["addr"] == "198.18.0.1:5000"


@pytest.mark.hosts
def test_kubeadm_asks_for_exactly_these_images() -> None:
    kubeadm = [
        f"{KUBERNETES.artifact.make()}/kubeadm",
        "config",
        "images",
        "list",
        f"--kubernetes-version=v{SITE['kubernetes']}",
    ]
    listed = subprocess.run(kubeadm, check=True, text=True, capture_output=True).stdout
    assert set(listed.split()) == {image.reference for image in kubernetes_images()}


@pytest.mark.hosts
def test_calicos_manifest_asks_for_exactly_these_images() -> None:
    manifest = (CALICO.artifact.make() / "source/manifests/calico.yaml").read_text()
    assert set(re.findall(r"image: (\S+)", manifest)) == {image.reference for image in calico_images()}
