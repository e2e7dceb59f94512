"""Debian packages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from converge.item import Call, Context, Item

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_VERSION: Final = re.compile(r"[0-9A-Za-z.+:~-]+\*?")


@dataclass(frozen=True)
class Package(Item):
    """A Debian package is installed, at `version` when one is given, and held there when `held` (apt-mark(8)).

    Packages that follow each other in a role are installed together. One that is newer than `version` is refused, with
    the command for whoever wants it back: programs that run on people's work are never downgraded unasked.
    """

    name: str
    version: str | None = None
    """Exact, or with a final `*` for whatever follows."""
    held: bool = False

    shell = ("packages",)
    builds_on = ("apt",)

    def problems(self, context: Context) -> Iterator[str]:
        if not _NAME.fullmatch(self.name):
            yield f"{self.name!r} is not a valid Debian package name"
        if self.version is not None and not _VERSION.fullmatch(self.version):
            yield f"package {self.name}: {self.version!r} is not a version; * is only allowed at its end"
        if self.held and self.version is None:
            yield f"package {self.name} is held, so it needs a version"

    @classmethod
    def calls(cls, run: Sequence["Package"], role: str, numbers: Iterator[int]) -> Iterator[Call]:
        specs = (f"{each.name} {each.version or '*'} {'held' if each.held else '-'}" for each in run)
        yield Call("packages", tuple(specs))
