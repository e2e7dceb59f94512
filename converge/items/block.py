"""Blocks of lines in files that have another owner."""

from collections.abc import Iterator
from dataclasses import dataclass

from converge.item import Call, Context, PathItem


@dataclass(frozen=True)
class Block(PathItem):
    """A file with another owner holds these lines together, between two comments that name the role. The lines around
    them are left alone."""

    @staticmethod
    def framed(role: str, content: str) -> str:
        """Return the block as it is in the file, for whatever else puts it there."""
        return f"# begin: henhouse, {role}\n{content}# end: henhouse, {role}\n"

    content: str
    """Whole lines, each with its line end."""

    shell = ("block",)

    @property
    def shares_file(self) -> bool:
        return True

    def problems(self, context: Context) -> Iterator[str]:
        yield from super().problems(context)
        if not self.content.endswith("\n") or "\0" in self.content:
            yield f"block of {self.path} must consist of whole lines"

    def call(self, number: int) -> Call:
        return Call("block", (self.path, self.content))
