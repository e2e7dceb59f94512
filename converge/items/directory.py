"""Directories."""

from collections.abc import Iterator
from dataclasses import dataclass

from converge.item import Call, Context, PathItem
from converge.items.file import MODE


@dataclass(frozen=True)
class Directory(PathItem):
    """A directory exists with this mode and owner. Its contents are not looked at."""

    mode: str = "0755"
    owner: str = "root"
    group: str = "root"

    shell = ("directory",)

    def problems(self, context: Context) -> Iterator[str]:
        yield from super().problems(context)
        if not MODE.fullmatch(self.mode):
            yield f"{self.path}: mode {self.mode!r} must be four octal digits such as 0644"

    def call(self, number: int) -> Call:
        return Call("directory", (self.path, self.mode, self.owner, self.group))
