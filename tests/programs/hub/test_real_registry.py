"""Tags and digests of a real registry, Debian's docker-registry."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import requests

from lab.mirror.registry import writable_registry
from programs.hub.menu.image_menu import choose
from programs.hub.menu.oci_registry import Registry, RegistryError

pytestmark = pytest.mark.programs

PATH: Final = "quay.io/team/lab"
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with writable_registry(tmp_path / "storage") as place:
        yield f"http://{place}"


def push(url: str, tag: str, content: str, **more: str) -> str:
    """Push an image without layers, and return its digest; `more` is put into its configuration."""
    configuration = json.dumps({"architecture": "amd64", "os": "linux", "of": content, **more}).encode()
    digest = f"sha256:{hashlib.sha256(configuration).hexdigest()}"
    session = requests.Session()
    session.trust_env = False
    place = session.post(f"{url}/v2/{PATH}/blobs/uploads/").headers["Location"]
    assert session.put(place, params={"digest": digest}, data=configuration).status_code == 201
    blob = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": len(configuration), "digest": digest}
    body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": blob, "layers": []}).encode()
    answer = session.put(f"{url}/v2/{PATH}/manifests/{tag}", data=body, headers={"Content-Type": MANIFEST})
    assert answer.status_code == 201, answer.text
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def test_menu_of_a_real_registry(url: str) -> None:
    pushed = {tag: push(url, tag, tag) for tag in ("d20261125", "d20261126", "w202648", "r180", "v1")}
    pushed["recommended"] = push(url, "recommended", "r180")
    registry = Registry(url)
    tags = registry.tags(PATH)
    assert sorted(tags) == sorted(pushed)
    images, recommended = choose(
        tags, {"daily": 1, "weekly": 1, "release": 1}, "recommended", lambda tag: registry.digest(PATH, tag)
    )
    assert {image.tag: image.digest for image in images} == {
        tag: pushed[tag] for tag in ("r180", "w202648", "d20261126")
    }
    assert recommended
    assert recommended.digest == pushed["r180"]
    assert registry.digest(PATH, "w202601") is None
    with pytest.raises(RegistryError, match="status 404"):
        registry.tags("quay.io/team/none")
