"""Brings an image into a registry, with skopeo."""

import re
from typing import Final

from images.build import Built
from lab.processes import run

_REGISTRY: Final = re.compile(r"[a-z0-9.-]+(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


def target(registry: str, recipe: str, tag: str) -> str:
    """Return the image's name in a registry; ValueError when it cannot be one."""
    if not _REGISTRY.fullmatch(registry):
        raise ValueError(f"registry: {registry} was given; accepted is HOST[:PORT][/PATH], such as quay.io/example")
    if not _TAG.fullmatch(tag):
        raise ValueError(f"tag: {tag} was given; accepted are letters, digits, _ . and -, such as w202648")
    return f"{registry}/{recipe}:{tag}"


def push(image: Built, registry: str, tag: str | None, *, plain_http: bool) -> str:
    """Copy an image there; return its name with tag and digest, as `hub.server_image` takes it.

    Whoever may push has logged in with ``skopeo login``. Layers that the registry has are not sent.
    """
    name = target(registry, image.recipe.name, tag or image.tag)
    options = ["--quiet", "--preserve-digests", *(["--dest-tls-verify=false"] if plain_http else [])]
    run(["skopeo", "copy", *options, image.source, f"docker://{name}"])
    return f"{name}@{image.digest}"
