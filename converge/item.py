"""What every kind of item has: fields, validation, the call of a shell function. Each kind is a file of `items/`."""

import shlex
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import ClassVar, Self

_ITEMS = Path(__file__).with_name("items")


@dataclass(frozen=True)
class Context:
    """The role around an item."""

    role: str
    secrets: Collection[str] = ()
    """Names of the secrets that the role is given."""
    managed: Collection[str] = ()
    """Paths that the role's items write."""


@dataclass(frozen=True)
class Call:
    """One line of a script's list of items, and the functions that it names."""

    function: str
    """A function of the shell file of the same name, in `items/`."""
    arguments: tuple[str, ...]
    functions: tuple[tuple[str, str], ...] = ()
    """Names and bodies of the role's own shell."""

    def __str__(self) -> str:
        return shlex.join([self.function, *self.arguments])


@dataclass(frozen=True)
class Item(ABC):
    """Something that is true of a machine."""

    shell: ClassVar[tuple[str, ...]]
    """The shell files of this kind, in `items/`, in the order in which a script has them."""
    builds_on: ClassVar[tuple[str, ...]] = ()
    """Files of `bash/` that those need."""

    writes_together: ClassVar[bool] = False
    """Whether all items of this kind in a role make up one file, and so have to follow each other."""

    def problems(self, context: Context) -> Iterator[str]:
        """Yield what is wrong with the item, in sentences that each name it."""
        yield from ()

    def paths(self, role: str) -> tuple[str, ...]:
        """Return the files on the machine that the item is about."""
        return ()

    @property
    def shares_file(self) -> bool:
        """Whether other items may be about the same file."""
        return False

    @classmethod
    @abstractmethod
    def calls(cls, run: Sequence[Self], role: str, numbers: Iterator[int]) -> Iterator[Call]:
        """Yield the calls for a run of items of this kind that follow each other. `numbers` tell functions apart."""


class SingleItem(Item):
    """A kind whose items are looked at one by one."""

    @abstractmethod
    def call(self, number: int) -> Call:
        """Return the item's call; `number` differs from that of every other item of the role."""

    @classmethod
    def calls(cls, run: Sequence[Self], role: str, numbers: Iterator[int]) -> Iterator[Call]:
        for item in run:
            yield item.call(next(numbers))


@dataclass(frozen=True)
class PathItem(SingleItem):
    """An item about one path of the machine."""

    path: str

    builds_on = ("paths",)

    def problems(self, context: Context) -> Iterator[str]:
        parts = self.path.split("/")
        if not self.path.startswith("/") or self.path.endswith("/") or {"..", "."} & set(parts) or "\n" in self.path:
            yield f"{self.path!r} must be an absolute path without a trailing slash"

    def paths(self, role: str) -> tuple[str, ...]:
        return (self.path,)


def runs(items: Iterable[Item]) -> Iterator[tuple[type[Item], list[Item]]]:
    """Items of one kind that follow each other."""
    for kind, run in groupby(items, type):
        yield kind, list(run)


def shell_text(name: str) -> str:
    """Return the text of the shell file of this name in `items/`."""
    return (_ITEMS / f"{name}.sh").read_text()
