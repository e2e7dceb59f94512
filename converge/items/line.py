"""Lines of files that have another owner."""

from collections.abc import Iterator
from dataclasses import dataclass

from converge.item import Call, Context, PathItem


@dataclass(frozen=True)
class Line(PathItem):
    """A file with another owner holds this line, or holds no active line that matches.

    With `line`, lines matching the extended regular expression `matching` are replaced by it, or it is appended.
    With `comment_out`, matching lines are commented out.
    """

    matching: str
    line: str | None = None
    comment_out: bool = False

    shell = ("line",)

    @property
    def shares_file(self) -> bool:
        return True

    def problems(self, context: Context) -> Iterator[str]:
        yield from super().problems(context)
        if (self.line is None) != self.comment_out:
            yield f"line of {self.path} needs either a line or comment_out"
        if "\n" in (self.line or ""):
            yield f"line of {self.path} is more than one line"
        if not self.matching:
            yield f"line of {self.path} has an empty pattern; say which lines it replaces"

    def call(self, number: int) -> Call:
        action = "comment" if self.comment_out else "set"
        return Call("line", (action, self.path, self.matching, self.line or ""))
