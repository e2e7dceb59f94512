"""What `make images` prints and pushes."""

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from images.build import Built, compressed_size
from images.push import push, target
from images.recipe import LANGUAGES, PYTHON
from images.report import COLUMNS, as_data, rows
from lab.mirror.registry import writable_registry
from lab.rack import RackError
from tests.stacks.sites import ROOT

FOUND: Final = {
    "kernels": {"python3": {"answer": "10", "seconds": 2.04}, "ir": {"answer": "[1] 7", "seconds": 3}},
    "commands": {"git --version": "git version 2.47.3"},
    "server": {"terminal": "sum-42", "nbgitpuller": "from the course"},
}


def layout(directory: Path, name: str) -> Path:
    """Write an OCI layout of an image with two small layers."""
    (directory / "blobs/sha256").mkdir(parents=True)

    def blob(content: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        (directory / "blobs/sha256" / digest).write_bytes(content)
        media = f"application/vnd.oci.image.{kind}"
        return {"mediaType": media, "digest": f"sha256:{digest}", "size": len(content)}

    layers, plain = [], []
    for text in ("first", "second"):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            about = tarfile.TarInfo(text)
            about.size = len(text)
            archive.addfile(about, io.BytesIO(text.encode()))
        plain.append(f"sha256:{hashlib.sha256(packed.getvalue()).hexdigest()}")
        layers.append(blob(gzip.compress(packed.getvalue(), mtime=0), "layer.v1.tar+gzip"))
    settings = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": plain}}
    config = blob(json.dumps(settings).encode(), "config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    entry = blob(json.dumps({**manifest, "config": config, "layers": layers}).encode(), "manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": name}
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return directory


def built(directory: Path) -> Built:
    return Built(LANGUAGES, layout(directory / "oci", "languages"), "0123456789ab", FOUND, 1_500_000_000, 4_200_000_000)


def test_table_has_a_row_per_kernel_and_the_sizes_once(tmp_path: Path) -> None:
    found = rows([built(tmp_path)])
    assert found == [
        ("languages:0123456789ab", "python3", "10", "2.0", "1.5 GB", "4.2 GB"),
        ("", "ir", "[1] 7", "3.0", "", ""),
    ]
    assert all(len(row) == len(COLUMNS) for row in found)


def test_data_says_the_same(tmp_path: Path) -> None:
    (data,) = as_data([built(tmp_path)], {"languages": "registry.example.org/languages:1@sha256:ab"})
    assert data["kernels"] == FOUND["kernels"]
    assert data["server"] == FOUND["server"]
    assert (data["compressed_bytes"], data["unpacked_bytes"]) == (1_500_000_000, 4_200_000_000)
    assert data["pushed"] == "registry.example.org/languages:1@sha256:ab"
    assert as_data([built(tmp_path / "again")], {})[0]["pushed"] is None


def test_size_to_fetch_is_that_of_the_layers(tmp_path: Path) -> None:
    found = layout(tmp_path, "python")
    index = json.loads((found / "index.json").read_text())
    manifest = json.loads((found / "blobs" / index["manifests"][0]["digest"].replace(":", "/")).read_text())
    files = [found / "blobs" / layer["digest"].replace(":", "/") for layer in manifest["layers"]]
    assert compressed_size(found) == sum(path.stat().st_size for path in files) > 0


@pytest.mark.parametrize(
    ("registry", "tag", "name"),
    [
        ("quay.io/example", "w202648", "quay.io/example/python:w202648"),
        ("localhost:5000", "d20261126", "localhost:5000/python:d20261126"),
        ("198.18.0.1:5000/lab/team_1", "_1", "198.18.0.1:5000/lab/team_1/python:_1"),
    ],
)
def test_name_in_a_registry(registry: str, tag: str, name: str) -> None:
    assert target(registry, PYTHON.name, tag) == name


@pytest.mark.parametrize(
    ("registry", "tag", "said"),
    [
        ("https://quay.io/example", "1", "registry: https://quay.io/example was given"),
        ("quay.io/Example", "1", "registry"),
        ("quay.io/example/", "1", "registry"),
        ("quay.io/example:tag", "1", "registry"),
        ("", "1", "registry"),
        ("quay.io/example", "", "tag:  was given"),
        ("quay.io/example", ".1", "tag"),
        ("quay.io/example", "a b", "tag"),
        ("quay.io/example", "v1\n", "tag"),
        ("quay.io/example", "x" * 129, "tag"),
        ("quay.io/example", "\u0661", "tag"),
    ],
)
def test_name_that_no_registry_takes_is_refused(registry: str, tag: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        target(registry, PYTHON.name, tag)


def test_command_line_refuses_what_it_does_not_know() -> None:
    for words, said in (
        (["julia"], "no such image: julia"),
        (["--registry", "https://x"], "registry: https://x was given"),
        (["--registry", "quay.io/example", "--tag", "a b"], "tag: a b was given"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "images", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert said in done.stderr


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Provide a registry, Debian's docker-registry."""
    with writable_registry(tmp_path / "storage") as place:
        yield place


@pytest.mark.programs
def test_pushed_image_is_there_under_its_digest(tmp_path: Path, registry: str) -> None:
    image = built(tmp_path)
    name = push(image, f"{registry}/lab", "w202648", plain_http=True)
    assert name == f"{registry}/lab/languages:w202648@{image.digest}"
    session = requests.Session()
    session.trust_env = False
    kind = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    for reference in ("w202648", image.digest):
        answer = session.get(f"http://{registry}/v2/lab/languages/manifests/{reference}", headers=kind)
        assert answer.status_code == 200
        assert f"sha256:{hashlib.sha256(answer.content).hexdigest()}" == image.digest


@pytest.mark.programs
def test_registry_that_speaks_no_tls_is_refused_unless_that_is_said(tmp_path: Path, registry: str) -> None:
    with pytest.raises(RackError, match="HTTP response to HTTPS client"):
        push(built(tmp_path), registry, None, plain_http=False)
