"""Files with a given content."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from converge.item import Call, Context, PathItem

MODE: Final = re.compile(r"[0-7]{4}")


@dataclass(frozen=True)
class File(PathItem):
    """A file has exactly this content, mode and owner.

    The content is `content`, or the role's secret named `secret`, which reaches the machine by standard input only.
    `validate` is a shell command that must accept the new content before it takes the file's place; `$NEW` is its
    path there.
    """

    content: str | None = None
    secret: str | None = None
    mode: str = "0644"
    owner: str = "root"
    group: str = "root"
    validate: str | None = None

    shell = ("file", "secret_file")

    def problems(self, context: Context) -> Iterator[str]:
        yield from super().problems(context)
        if not MODE.fullmatch(self.mode):
            yield f"{self.path}: mode {self.mode!r} must be four octal digits such as 0644"
        if (self.content is None) == (self.secret is None):
            yield f"{self.path} needs either a content or the name of a secret"
        if self.content is not None and "\0" in self.content:
            yield f"{self.path}: the content has NUL bytes, which a shell cannot write"
        if self.secret is not None and self.secret not in context.secrets:
            given = ", ".join(sorted(context.secrets)) or "none"
            yield f"{self.path}: the role has no secret {self.secret!r}; it has {given}"
        if self.secret is not None and self.mode[-1:] != "0":
            yield f"{self.path} is a secret, and mode {self.mode} lets everyone read it"

    def call(self, number: int) -> Call:
        validate = ((f"validate_{number}", self.validate),) if self.validate else ()
        text = self.content if self.secret is None else self.secret
        arguments = (self.path, self.mode, self.owner, self.group, text or "", *(name for name, _ in validate))
        return Call("file" if self.secret is None else "secret_file", arguments, validate)
