"""A living site moves to another registry and gets a menu of its images. A part of `make chaos`."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import pytest

from components.apps.hub.menu import MENU_FILE
from components.apps.hub.site_json import DATABASE_DIRECTORY
from lab.mirror.images import Image, application_images
from lab.mirror.registry import REGISTRY, registry_configuration
from tests.acceptance.site import edited, eventually, in_the_rack, inside, kubectl, password
from tests.acceptance.visitor import visitor
from tests.browser.session import open_notebook

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

USER: Final = "turing"
REPOSITORY: Final = "quay.io/jupyter/base-notebook"
ADDRESS: Final = IPv4Address("198.18.0.1")
PORT: Final = 5001
SECOND: Final = "r100"
WHICH: Final = "HENHOUSE_IMAGE"


def test_notebook_runs_in_each_of_two_images(tmp_path: Path) -> None:
    (first,) = (each for each in application_images() if each.reference.startswith(f"{REPOSITORY}:"))
    with registry_with_a_second(first, tmp_path) as url, edited(menu_of(url)), visitor() as person:
        eventually("the menu", lambda: SECOND in last_menu(), seconds=120)
        assert person.log_in(USER, password())
        for image, which in (("Release 10.0", SECOND), (first.tag, "None")):
            person.stop(USER)
            with open_notebook(USER, password(), image=image) as page:
                page.run(f"import os; print(os.environ.get('{WHICH}'))")
                page.expect_output(which)
        person.stop(USER)


def last_menu() -> str:
    """Return the hub's file with what the registry had."""
    return kubectl("--namespace", "hub", "exec", "deployment/hub", "--", "cat", f"{DATABASE_DIRECTORY}/{MENU_FILE}")


def menu_of(url: str) -> Mapping[str, Any]:
    """Return the settings of a site with this registry, that offers a release and one of the other tags."""
    menu = {"repository": REPOSITORY, "plain": 1, "refresh_seconds": 30}
    return {"mirrors": {"registry": url}, "hub": {"image_menu": menu}}


@contextmanager
def registry_with_a_second(first: Image, directory: Path) -> Iterator[str]:
    """Serve the rack's images and one more beside the rack's own registry; yield its URL."""
    with tempfile.TemporaryDirectory(prefix="henhouse-registry-") as place:
        for name in ("new", "work", "all"):
            Path(place, name).mkdir()
        configuration = Path(place, "registry.json")
        configuration.write_text(registry_configuration(Path(place, "all"), ADDRESS, PORT, read_only=False))
        layers = f"lowerdir={REGISTRY.path},upperdir={place}/new,workdir={place}/work"
        script = f"mount -t overlay -o {layers} overlay {place}/all && exec docker-registry serve {configuration}"
        command = in_the_rack("unshare", "--mount", "sh", "-c", script)
        with open(directory / "registry.log", "wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            eventually("the registry", lambda: answers(f"http://{ADDRESS}:{PORT}/v2/"), seconds=60)
            made = second_image(first, directory / "second")
            target = f"docker://{ADDRESS}:{PORT}/{REPOSITORY}:{SECOND}"
            inside("skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"oci:{made}:{SECOND}", target)
            yield f"http://{ADDRESS}:{PORT}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)


def answers(url: str) -> bool:
    """Whether a server on the campus answers."""
    return inside("curl", "--silent", "--fail", "--output", "/dev/null", url, check=False).returncode == 0


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
