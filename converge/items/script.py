"""Anything that no other kind of item is for."""

from collections.abc import Iterator
from dataclasses import dataclass

from converge.item import Call, Context, SingleItem


@dataclass(frozen=True)
class Script(SingleItem):
    """A pair of scripts: `check` is read-only and succeeds when all is well; `apply` makes it so and is idempotent.

    Both are shell, run by bash with `set -euo pipefail`. `check` may print one line: what it found instead.
    """

    name: str
    check: str
    apply: str

    shell = ("script",)

    def problems(self, context: Context) -> Iterator[str]:
        if not (self.name.strip() and self.check.strip() and self.apply.strip()):
            yield f"script {self.name!r} needs a name, a check and an apply"

    def call(self, number: int) -> Call:
        functions = ((f"check_{number}", self.check), (f"apply_{number}", self.apply))
        return Call("script", (self.name, *(name for name, _ in functions)), functions)
