"""Which of a repository's tags people are offered; shipped to the hub, where menu_files.py keeps the menu.

It imports none of the hub's other files, because `ops reap` ranks tags by it.

A tag is dYYYYMMDD (a daily build), wYYYYWW (a weekly one, by ISO week), rMMm (release MM.m), exp… (experimental), or
plain.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

EXPERIMENTAL = "experimental"
KINDS = ("release", "weekly", "daily", EXPERIMENTAL, "plain")
"""In the order of the menu: what changes least comes first."""
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
"""OCI distribution specification 1.1, "Pulling manifests"."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
LARGEST = 1 << 20
"""Bytes of the file that are read."""
_LAST = 253402300799
"""The last second of the year 9999: what is later is not a date of the calendar."""
SPARE = 5
"""How many tags more than wanted are requested, where some were deleted since the registry listed them."""
_RELEASE = re.compile(r"r([0-9]{2})([0-9])")
_WEEKLY = re.compile(r"w([0-9]{4})([0-9]{2})")
_DAILY = re.compile(r"d([0-9]{4})([0-9]{2})([0-9]{2})")
_NO_IMAGE = re.compile(r"sha(256|512)-[0-9a-f]{64,128}(\..*)?")
"""Signatures, attestations and bills of materials, which cosign and the referrers' tag schema keep beside images."""
_MOVING = re.compile(r"latest.*")


@dataclass(frozen=True)
class Named:
    """A tag that is understood."""

    kind: str
    label: str
    rank: tuple[Any, ...]
    """Newer is larger, among tags of one kind."""


@dataclass(frozen=True)
class Image:
    """A tag, and what it stood for when the registry was asked."""

    tag: str
    digest: str

    @property
    def label(self) -> str:
        """What people are shown."""
        return named(self.tag).label


@dataclass(frozen=True)
class Menu:
    """What was found in a repository."""

    repository: str
    scanned: float
    """When, in seconds since 1970."""
    images: tuple[Image, ...]
    recommended: Image | None = None
    """What the recommended alias stood for; its tag is the alias."""


def named(tag: str) -> Named:
    """Say what a tag means. A day or a week that no calendar has is not a date: such a tag is plain."""
    try:
        if found := _DAILY.fullmatch(tag):
            day = date(*map(int, found.groups()))
            return Named("daily", f"Daily {day.isoformat()}", (day.toordinal(),))
        if found := _WEEKLY.fullmatch(tag):
            year, week = map(int, found.groups())
            return Named("weekly", f"Weekly {year}, week {week}", (date.fromisocalendar(year, week, 1).toordinal(),))
    except ValueError:
        return _plain(tag)
    if found := _RELEASE.fullmatch(tag):
        major, minor = map(int, found.groups())
        return Named("release", f"Release {major}.{minor}", (major, minor))
    return _plain(tag)


def _plain(tag: str) -> Named:
    """Order by the numbers in a tag, so that 1.10 is newer than 1.9."""
    kind = EXPERIMENTAL if tag.startswith("exp") else "plain"
    return Named(kind, tag, tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in _parts(tag)))


def _parts(tag: str) -> list[str]:
    return re.findall(r"[0-9]+|[^0-9]+", tag)


def ranked(tags: Iterable[str], kind: str, *, without: str | None = None) -> list[str]:
    """Return the tags of a kind, newest first. `without` is the recommended alias, which is not an image of its own."""
    usable = {tag for tag in tags if tag != without and TAG.fullmatch(tag)}
    images = (tag for tag in usable if not _NO_IMAGE.fullmatch(tag) and not _MOVING.fullmatch(tag))
    of_kind = [(each.rank, tag) for tag in images if (each := named(tag)).kind == kind]
    return [tag for _, tag in sorted(of_kind, reverse=True)]


def choose(
    tags: Sequence[str], counts: Mapping[str, int], recommended: str | None, resolve: Callable[[str], str | None]
) -> tuple[tuple[Image, ...], Image | None]:
    """Return the newest `counts` of each kind with their digests, and the recommended one, if there is such a tag.

    `resolve` answers a tag's digest, or None where the tag is gone.
    """
    chosen: list[Image] = []
    for kind in KINDS:
        wanted = counts.get(kind, 0)
        found: list[Image] = []
        for tag in ranked(tags, kind, without=recommended)[: wanted + SPARE if wanted else 0]:
            if len(found) < wanted and (digest := resolve(tag)):
                found.append(Image(tag, digest))
        chosen += found
    if recommended is None or recommended not in tags:
        return tuple(chosen), None
    digest = resolve(recommended)
    return tuple(chosen), Image(recommended, digest) if digest else None


def without(menu: Menu, removed: Collection[str]) -> Menu | None:
    """Return the menu without the images of these digests, under whatever tag; None where nothing is left."""
    images = tuple(each for each in menu.images if each.digest not in removed)
    alias = menu.recommended
    recommended = alias if alias and alias.digest not in removed else None
    return replace(menu, images=images, recommended=recommended) if images or recommended else None


def read_menu(path: Path, repository: str) -> Menu | None:
    """Return what the file holds of this repository; None if it holds nothing that can be used."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(LARGEST))
        if data["repository"] != repository:
            return None
        alias = data["recommended"]
        images = tuple(_image(each) for each in data["images"])
        scanned, recommended = float(data["scanned"]), _image(alias) if alias else None
        usable = 0 < scanned < _LAST and (images or recommended)
        return Menu(repository, scanned, images, recommended) if usable else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _image(data: Mapping[str, Any]) -> Image:
    if not TAG.fullmatch(data["tag"]) or not DIGEST.fullmatch(data["digest"]):
        raise ValueError(f"{data!r} is not an image")
    return Image(data["tag"], data["digest"])


def choices(menu: Menu) -> list[dict[str, Any]]:
    """Return what people are offered, the recommended one first; an image is named by its tag and its digest."""
    same = {image.digest: image.label for image in reversed(menu.images)}
    offered = [
        {"key": image.tag, "display_name": image.label, "description": "" if image.label == image.tag else image.tag}
        | {"image": f"{menu.repository}:{image.tag}@{image.digest}"}
        for image in menu.images
    ]
    if menu.recommended is None:
        return offered
    alias = menu.recommended
    first = {"key": alias.tag, "display_name": "Recommended", "description": same.get(alias.digest, alias.tag)}
    return [{**first, "image": f"{menu.repository}:{alias.tag}@{alias.digest}"}, *offered]


class LastKnown:
    """The menu as the file had it when it last made sense; reading it again costs a stat(2) while nothing changes."""

    def __init__(self, path: Path, repository: str) -> None:
        self._path, self._repository = path, repository
        self._seen: tuple[int, ...] | None = None
        self._menu: Menu | None = None

    def menu(self) -> Menu | None:
        """Return it; None before a first scan."""
        try:
            stat = self._path.stat()
        except OSError:
            return self._menu
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if seen != self._seen:
            self._seen, self._menu = seen, read_menu(self._path, self._repository) or self._menu
        return self._menu
