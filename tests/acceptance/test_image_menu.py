"""A living site moves to another registry and gets a menu of its images, and sizes. A part of `make chaos`."""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from kubernetes.utils import parse_quantity  # type: ignore[import-untyped]

from components.apps.hub.menu import MENU_FILE
from components.apps.hub.site_json import DATABASE_DIRECTORY
from lab.mirror.images import Image, application_images
from tests.acceptance.registry import own_registry, push
from tests.acceptance.site import edited, kubectl, password
from tests.acceptance.visitor import visitor
from tests.browser.session import open_notebook
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

USER: Final = "turing"
REPOSITORY: Final = "quay.io/jupyter/base-notebook"
SECOND: Final = "r100"
WHICH: Final = "HENHOUSE_IMAGE"


def test_notebook_runs_in_each_of_two_images(tmp_path: Path) -> None:
    (first,) = (each for each in application_images() if each.reference.startswith(f"{REPOSITORY}:"))
    with own_registry(tmp_path / "registry.log") as url, visitor() as person, ExitStack() as stack:
        push(f"oci:{second_image(first, tmp_path / 'second')}:{SECOND}", f"{REPOSITORY}:{SECOND}")
        stack.enter_context(edited(menu_of(url)))
        eventually("the menu", lambda: SECOND in last_menu(), seconds=120)
        assert person.log_in(USER, password())
        for image, which, size, resources in (
            ("Release 10.0", SECOND, "Tiny", "125m 500m 256Mi 1Gi"),
            (first.tag, "None", "Medium", "500m 2 1Gi 4Gi"),
        ):
            person.stop(USER)
            with open_notebook(USER, password(), choices={"Size": size, "Image": image}) as page:
                page.run(f"import os; print(os.environ.get('{WHICH}'))")
                page.expect_output(which)
                assert resources_of_the_server() == [parse_quantity(each) for each in resources.split()]
        person.stop(USER)


def resources_of_the_server() -> list[Decimal]:
    """Return the cores and bytes that the person's server is promised and may use."""
    names = ("requests.cpu", "limits.cpu", "requests.memory", "limits.memory")
    path = " ".join(f"{{.spec.containers[0].resources.{name}}}" for name in names)
    said = kubectl("--namespace", "users", "get", "pod", f"jupyter-{USER}", "--output", f"jsonpath={path}")
    return [parse_quantity(each) for each in said.split()]


def last_menu() -> str:
    """Return the hub's file with what the registry had."""
    return kubectl("--namespace", "hub", "exec", "deployment/hub", "--", "cat", f"{DATABASE_DIRECTORY}/{MENU_FILE}")


def menu_of(url: str) -> Mapping[str, Any]:
    """Return the settings of a site with this registry, that offers a release and one of the other tags."""
    menu = {"repository": REPOSITORY, "plain": 1, "refresh_seconds": 30}
    return {"mirrors": {"registry": url}, "hub": {"image_menu": menu, "sizes": "doubling"}}


def second_image(first: Image, layout: Path) -> Path:
    """Make an image layout whose image differs by a variable: its files are those of the first."""
    shutil.copytree(first.layout.path / "oci", layout, copy_function=os.symlink)
    index = json.loads((layout / "index.json").read_text())
    entry = next(each for each in index["manifests"] if each["annotations"][REF_NAME] == first.tag)
    manifest = blob(layout, entry)
    configuration = blob(layout, manifest["config"])
    configuration["config"]["Env"].append(f"{WHICH}={SECOND}")
    manifest["config"] |= added(layout, configuration)
    entry |= {**added(layout, manifest), "annotations": {REF_NAME: SECOND}}
    (layout / "index.json").unlink()
    (layout / "index.json").write_text(json.dumps({**index, "manifests": [entry]}))
    return layout


REF_NAME: Final = "org.opencontainers.image.ref.name"


def blob(layout: Path, descriptor: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a descriptor of an image layout stands for."""
    found: dict[str, Any] = json.loads((layout / "blobs/sha256" / descriptor["digest"].partition(":")[2]).read_text())
    return found


def added(layout: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    """Add a blob to an image layout; return what is said of it in a descriptor."""
    data = json.dumps(content).encode()
    digest = sha256(data).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}
