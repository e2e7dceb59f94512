"""Lists of packages."""

from collections.abc import Iterator
from dataclasses import dataclass

from converge.item import Call, Context, SingleItem


@dataclass(frozen=True)
class PackageLists(SingleItem):
    """apt's lists are at least as new as these files: the sources, and the keys that sign them."""

    sources: tuple[str, ...]

    shell = ("package_lists",)
    builds_on = ("apt",)

    def problems(self, context: Context) -> Iterator[str]:
        if not self.sources:
            yield "package lists need the files that say where they come from"

    def call(self, number: int) -> Call:
        return Call("package_lists", self.sources)
