"""Files that are not there."""

from dataclasses import dataclass

from converge.item import Call, PathItem


@dataclass(frozen=True)
class Absent(PathItem):
    """Nothing is at this path. Files only: a directory is refused, so that nothing of a person's is ever removed."""

    shell = ("absent",)

    def call(self, number: int) -> Call:
        return Call("absent", (self.path,))
