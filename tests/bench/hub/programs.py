"""Programs of the bench: kwok, which plays the kubelets of nodes that are not there, and the proxy out of its image."""

import json
from pathlib import Path
from typing import Final

from lab.cache import Artifact
from lab.mirror.images import application_images
from lab.mirror.programs import Programs
from lab.processes import run
from lab.versions import LAB


class _OfTheBench(Programs):
    """Programs whose module is beside this file: the rack's machines have none of them."""

    @property
    def directory(self) -> Path:
        return Path(__file__).with_name(self.module)


KWOK: Final = _OfTheBench(
    "kwok",
    LAB["kwok"],
    stamps=("sigs.k8s.io/kwok/pkg/consts.Version",),
    sources={"sigs.k8s.io/kwok": ("kustomize/stage",)},
)
"""``kwok``, and below ``source/kustomize/stage`` upstream's own account of how nodes and pods come and go. Without some
kwok does nothing and ends with "no stages found"."""
STAGES: Final = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    *(f"pod/fast/pod-{name}.yaml" for name in ("ready", "complete", "delete")),
)
"""Which of them the bench uses."""
_PROXY_IMAGE: Final = next(each for each in application_images() if each.recipe == "configurable-http-proxy")


def _unpack(directory: Path) -> None:
    """Lay the image's layers over one another. None of them takes away what is in another."""
    blobs = _PROXY_IMAGE.layout.path / "oci/blobs"

    def blob(described: dict[str, str]) -> Path:
        return blobs / described["digest"].replace(":", "/")

    index = json.loads((_PROXY_IMAGE.layout.path / "oci/index.json").read_text())
    for layer in json.loads(blob(index["manifests"][0]).read_text())["layers"]:
        run(["tar", "--extract", "--gzip", f"--file={blob(layer)}", f"--directory={directory}", "--exclude=dev/*"])


PROXY: Final = Artifact("proxy-root", "unpacking the proxy's image", _unpack, needs=(_PROXY_IMAGE.layout,))
"""The proxy's image as a directory: the same node and the same modules as on a site."""


def in_the_proxys_image(*variables: str) -> list[str]:
    """Return the words before a command that run it in the proxy's image as the image's user, with these variables."""
    path = "PATH=/srv/configurable-http-proxy/bin:/usr/bin:/bin"
    return ["chroot", "--userspec=65534:65534", str(PROXY.make()), "/usr/bin/env", path, *variables]
