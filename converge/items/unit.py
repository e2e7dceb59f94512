"""Units of systemd."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from converge.item import Call, Context, SingleItem

_NAME: Final = re.compile(r"[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|mount|path|swap|slice|automount)")


@dataclass(frozen=True)
class Unit(SingleItem):
    """A systemd unit is enabled or not, running or not; or masked. With None, it is as its other owner has it.

    `restart_on` names paths of this role's files: when apply changed one of them the unit is restarted, or reloaded
    with `reload`.
    """

    name: str
    enabled: bool | None = True
    running: bool | None = True
    masked: bool = False
    restart_on: tuple[str, ...] = ()
    reload: bool = False

    shell = ("unit",)

    def problems(self, context: Context) -> Iterator[str]:
        if not _NAME.fullmatch(self.name):
            yield f"{self.name!r} is not a full unit name such as chrony.service"
        for path in self.restart_on:
            if path not in context.managed:
                yield f"unit {self.name} restarts on {path}, which this role does not manage"

    def call(self, number: int) -> Call:
        boot = "masked" if self.masked else _word(self.enabled, "enabled", "disabled")
        now = "inactive" if self.masked else _word(self.running, "active", "inactive")
        return Call("unit", (self.name, boot, now, *(["reload"] if self.reload else [])))


def _word(wanted: bool | None, yes: str, no: str) -> str:
    return "any" if wanted is None else yes if wanted else no
