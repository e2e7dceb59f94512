"""Roles: what must be true of a machine, as data. What that means in shell is the renderer's business."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """A Debian package is installed, at `version` when one is given, and held there when `held` (apt-mark(8))."""

    name: str
    version: str | None = None
    held: bool = False


@dataclass(frozen=True)
class File:
    """A file has exactly this content, mode and owner.

    The content is `content`, or the role's secret named `secret`, which reaches the machine by standard input only.
    `validate` is a shell command that must accept the new content before it takes the file's place; `$NEW` is its
    path there.
    """

    path: str
    content: str | None = None
    secret: str | None = None
    mode: str = "0644"
    owner: str = "root"
    group: str = "root"
    validate: str | None = None


@dataclass(frozen=True)
class Directory:
    """A directory exists with this mode and owner. Its contents are not looked at."""

    path: str
    mode: str = "0755"
    owner: str = "root"
    group: str = "root"


@dataclass(frozen=True)
class Absent:
    """Nothing is at this path. Files only: a directory is refused, so that nothing of a person's is ever removed."""

    path: str


@dataclass(frozen=True)
class Line:
    """A file somebody else owns holds this line, or holds no active line that matches.

    With `line`, lines matching the extended regular expression `matching` are replaced by it, or it is appended.
    With `comment_out`, matching lines are commented out.
    """

    path: str
    matching: str
    line: str | None = None
    comment_out: bool = False


@dataclass(frozen=True)
class Block:
    """A file somebody else owns holds these lines together, between two comments that name the role; what is around
    them is left alone."""

    path: str
    content: str
    """Whole lines, each with its line end."""


@dataclass(frozen=True)
class Sysctl:
    """A kernel parameter has this value now and after a boot (sysctl.d(5))."""

    key: str
    value: str


@dataclass(frozen=True)
class KernelModule:
    """A kernel module is loaded now and after a boot (modules-load.d(5)); built into the kernel counts as loaded."""

    name: str


@dataclass(frozen=True)
class Service:
    """A systemd unit is enabled or not, running or not; or masked.

    `restart_on` names paths of this role's files: when apply changed one of them the unit is restarted, or reloaded
    with `reload`.
    """

    name: str
    enabled: bool = True
    running: bool = True
    masked: bool = False
    restart_on: tuple[str, ...] = ()
    reload: bool = False


@dataclass(frozen=True)
class Script:
    """Anything else: `check` is read-only and succeeds when all is well; `apply` makes it so and is idempotent.

    Both are shell, run by bash with `set -euo pipefail`. `check` may print one line: what it found instead.
    """

    name: str
    check: str
    apply: str


Item = Package | File | Directory | Absent | Line | Block | Sysctl | KernelModule | Service | Script


@dataclass(frozen=True)
class Fact:
    """Something that the machine alone knows: `command` prints it on one line; it becomes an output of the role."""

    name: str
    command: str


@dataclass(frozen=True)
class Role:
    """What must be true of a machine for one purpose; items are applied in order."""

    name: str
    items: Sequence[Item]
    facts: Sequence[Fact] = ()
    secret_facts: bool = False
    """True when a fact is itself a secret: the role's outputs are then encrypted in the state."""
