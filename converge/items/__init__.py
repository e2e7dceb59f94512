"""The kinds of items, one file each: the shell that a kind needs is beside it."""

from typing import Final

from converge.item import Item
from converge.items.absent import Absent
from converge.items.block import Block
from converge.items.directory import Directory
from converge.items.file import File
from converge.items.line import Line
from converge.items.module import KernelModule
from converge.items.package import Package
from converge.items.package_lists import PackageLists
from converge.items.script import Script
from converge.items.sysctl import Sysctl
from converge.items.unit import Unit

KINDS: Final[tuple[type[Item], ...]] = (
    File,
    Directory,
    Absent,
    Line,
    Block,
    Package,
    PackageLists,
    Unit,
    Sysctl,
    KernelModule,
    Script,
)
"""All kinds, in the order in which a script has their shell."""

__all__ = [
    "KINDS",
    "Absent",
    "Block",
    "Directory",
    "File",
    "Item",
    "KernelModule",
    "Line",
    "Package",
    "PackageLists",
    "Script",
    "Sysctl",
    "Unit",
]
