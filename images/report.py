"""What `make images` prints: which kernel answered what, and how large each image is."""

from collections.abc import Sequence
from typing import Any

from rich.filesize import decimal

from images.build import Built

COLUMNS = ("image", "kernel", "its cell's answer", "seconds", "to fetch", "on disk")


def rows(built: Sequence[Built]) -> list[tuple[str, ...]]:
    """Return a row per kernel; an image and its sizes are in the first of its rows."""
    found: list[tuple[str, ...]] = []
    for image in built:
        about = (f"{image.recipe.name}:{image.tag}", decimal(image.compressed), decimal(image.unpacked))
        for name, kernel in image.found["kernels"].items():
            label, fetched, disk = about
            found.append((label, name, kernel["answer"], f"{kernel['seconds']:.1f}", fetched, disk))
            about = ("", "", "")
    return found


def as_data(built: Sequence[Built], pushed: dict[str, str]) -> list[dict[str, Any]]:
    """Return the same as data, with where each image was pushed to."""
    return [
        {
            "image": image.recipe.name,
            "tag": image.tag,
            "layout": str(image.layout),
            "compressed_bytes": image.compressed,
            "unpacked_bytes": image.unpacked,
            "pushed": pushed.get(image.recipe.name),
            **image.found,
        }
        for image in built
    ]
