"""Kernel parameters."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from converge.item import Call, Context, Item
from converge.items.absent import Absent
from converge.items.file import File

_KEY: Final = re.compile(r"[a-z0-9_]+([./][A-Za-z0-9_@:.-]+)+")


@dataclass(frozen=True)
class Sysctl(Item):
    """A kernel parameter has this value now and after a boot (sysctl.d(5)). A role's parameters follow each other.

    A file of another's that is read later and has another value is named and refused.
    """

    key: str
    value: str

    shell = ("sysctl",)
    builds_on = ("paths",)
    writes_together = True

    def problems(self, context: Context) -> Iterator[str]:
        if not _KEY.fullmatch(self.key) or "\n" in self.value:
            yield f"{self.key!r} = {self.value!r} is not a kernel parameter such as net.ipv4.ip_forward = 1"

    def paths(self, role: str) -> tuple[str, ...]:
        # After 99-sysctl.conf and what hardening guides write; the first was the file's name in earlier versions.
        return (f"/etc/sysctl.d/90-henhouse-{role}.conf", f"/etc/sysctl.d/zz-henhouse-{role}.conf")

    @property
    def shares_file(self) -> bool:
        return True

    @classmethod
    def calls(cls, run: Sequence["Sysctl"], role: str, numbers: Iterator[int]) -> Iterator[Call]:
        values = {each.key: " ".join(each.value.split()) for each in run}
        before, path = run[0].paths(role)
        yield Absent(before).call(0)
        yield File(path, "".join(f"{key} = {value}\n" for key, value in values.items())).call(0)
        for key, value in values.items():
            yield Call("sysctl", (key, proc_path(key), value))


def proc_path(key: str) -> str:
    """Where a kernel parameter is in /proc/sys. When its first separator is a slash, dots are part of names
    (sysctl.d(5))."""
    slash, dot = key.find("/"), key.find(".")
    if slash == -1 or -1 < dot < slash:
        key = key.translate(str.maketrans("./", "/."))
    return f"/proc/sys/{key}"
