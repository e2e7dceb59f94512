"""Builds an image from its Containerfile with buildah, and tries it before it counts as built."""

import json
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from images.recipe import Recipe
from lab.cache import Artifact, file_digest
from lab.mirror.debs import EPOCH
from lab.mirror.images import DEBIAN, build_options, container_storage
from lab.processes import ALONE, run
from lab.rack import RackError

INSIDE: Final = Path(__file__).with_name("inside.py")
DEBIAN_HERE: Final = "localhost/debian"
"""Stands in for Debian's own image where no registry has it: what the mirror's images stand on, too."""
ANYBODY: Final = 70_000
"""A user without a line in the image's passwd, as everyone is who has a home."""
GROUP: Final = 100
_HOME: Final = "/home/jovyan"
REPORT: Final = "report.json"


@dataclass(frozen=True)
class Built:
    """An image in the cache that was tried."""

    recipe: Recipe
    layout: Path
    """Its OCI image layout, https://github.com/opencontainers/image-spec."""
    tag: str
    """Changes when anything of the recipe does."""
    found: dict[str, Any]
    """What `images.inside` found in it."""
    compressed: int
    """Bytes of its layers, as a registry keeps them and nodes fetch them."""
    unpacked: int
    """Bytes on a node's disk."""

    @property
    def source(self) -> str:
        """As skopeo calls it."""
        return f"oci:{self.layout}:{self.recipe.name}"

    @property
    def digest(self) -> str:
        """The digest by which it can be pulled."""
        index = json.loads((self.layout / "index.json").read_text())
        return str(index["manifests"][0]["digest"])


def base_of(recipe: Recipe) -> str:
    """Return the image that the recipe's Containerfile is given as BASE."""
    return name_of(recipe.stands_on) if recipe.stands_on else DEBIAN_HERE


def name_of(recipe: Recipe) -> str:
    """Return the image's name while it is built."""
    return f"localhost/henhouse/{recipe.name}"


@cache
def artifact(recipe: Recipe) -> Artifact:
    """Return the image in the cache: its OCI layout, and the report of the trial."""
    inputs = {
        "recipe": file_digest(*recipe.directory.iterdir()),
        "asked": recipe.questions(),
        "trial": file_digest(INSIDE),
        "epoch": EPOCH,
    }
    base = artifact(recipe.stands_on) if recipe.stands_on else DEBIAN
    title = f"building and trying the image {recipe.name}"
    return Artifact(f"user-image-{recipe.name}", title, lambda to: _bake(recipe, base, to), inputs, (base,))


def build(recipe: Recipe) -> Built:
    """Return the image, made and tried if it is not in the cache; RackError when it cannot be made or does not work."""
    made = artifact(recipe)
    path = made.make()
    found = json.loads((path / REPORT).read_text())
    layout = path / "oci"
    return Built(recipe, layout, made.fingerprint, found["found"], compressed_size(layout), int(found["unpacked"]))


def compressed_size(layout: Path) -> int:
    """Return the bytes of the layers of the one image in a layout."""

    def blob(digest: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((layout / "blobs" / digest.replace(":", "/")).read_text())
        return content

    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    return sum(int(layer["size"]) for layer in blob(entry["digest"])["layers"])


def _bake(recipe: Recipe, base: Artifact, output: Path) -> None:
    with container_storage(output) as (buildah, storage):
        local = f"containers-storage:[overlay@{storage}/root+{storage}/run]"
        inherited = f"oci:{base.path}/oci:{recipe.stands_on.name if recipe.stands_on else 'latest'}"
        # Alone: the storage is mounted on itself, and what stays mounted cannot be removed.
        run([*ALONE, "skopeo", "copy", "--quiet", inherited, f"{local}{base_of(recipe)}:latest"])
        options = [*build_options(), "--layers", f"--build-arg=BASE={base_of(recipe)}", "--tag", name_of(recipe)]
        run([*buildah, "bud", *options, "--file", str(recipe.directory / "Containerfile"), str(recipe.directory)])
        report = _try(buildah, recipe, output)
        run([*buildah, "push", "--quiet", name_of(recipe), f"oci:{output}/oci:{recipe.name}"])
    (output / REPORT).write_text(json.dumps(report, indent=2) + "\n")


def _try(buildah: list[str], recipe: Recipe, output: Path) -> dict[str, Any]:
    """Return what works in the image, for a person with an empty home; RackError with the first thing that does not."""
    container = run([*buildah, "from", "--pull-never", name_of(recipe)]).stdout.decode().strip()
    with tempfile.TemporaryDirectory(prefix="home-", dir=output, ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o700)
        run(["chown", f"{ANYBODY}:{GROUP}", home])
        within = [*buildah, "run", "--isolation=chroot", "--network=host", f"--workingdir={_HOME}"]
        volumes = [f"--volume={home}:{_HOME}:rw", f"--volume={INSIDE}:/tmp/inside.py:ro"]
        asked = json.dumps(recipe.questions())
        person = [*within, *volumes, f"--user={ANYBODY}:{GROUP}", container, "--"]
        said = run([*person, "/opt/jupyter/bin/python", "/tmp/inside.py", asked]).stdout.decode()
    used = run([*within, "--user=0", container, "--", "du", "-sx", "--block-size=1", "/"], check=False).stdout.split()
    with suppress(ValueError, IndexError):
        return {"found": json.loads(said.splitlines()[-1]), "unpacked": int(used[0])}
    raise RackError(f"the trial of the image {recipe.name} told nothing that can be read: {said[-2000:]!r}")
