"""Kernel modules."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from converge.item import Call, Context, Item
from converge.items.file import File

_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class KernelModule(Item):
    """A kernel module is loaded now and after a boot (modules-load.d(5)); built into the kernel counts as loaded.

    A role's modules follow each other.
    """

    name: str

    shell = ("module",)
    builds_on = ("paths",)
    writes_together = True

    def problems(self, context: Context) -> Iterator[str]:
        if not _NAME.fullmatch(self.name):
            yield f"{self.name!r} is not a valid kernel module name"

    def paths(self, role: str) -> tuple[str, ...]:
        return (f"/etc/modules-load.d/90-henhouse-{role}.conf",)

    @property
    def shares_file(self) -> bool:
        return True

    @classmethod
    def calls(cls, run: Sequence["KernelModule"], role: str, numbers: Iterator[int]) -> Iterator[Call]:
        (path,) = run[0].paths(role)
        yield File(path, "".join(f"{each.name}\n" for each in run)).call(0)
        for each in run:
            yield Call("module", (each.name,))
