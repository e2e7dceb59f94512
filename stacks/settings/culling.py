"""Culling: when servers are stopped by themselves, and kernels and terminals in them."""

from typing import TypeVar

from pydantic import Field, model_validator

from programs.hub.inside.inside_limits import TIMES, Values
from stacks.settings.chart import ChartModel
from stacks.settings.types import GroupName, Model

SHORTEST_SECONDS = 60
"""Servers tell the hub of their activity every few minutes: less would stop what is in use."""
LONGEST_SECONDS = 10 * 365 * 86400
"""Ten years. More is a slip of the pen."""
INTERVAL = "cull_interval"
USUAL_INTERVAL_SECONDS = 300
"""As in Jupyter Server."""


AnyModel = TypeVar("AnyModel", bound=Model)


def _with_a_time(settings: AnyModel, time: str) -> AnyModel:
    """Refuse settings that say how to stop something and not after how long, and looks that come after the time."""
    seconds = getattr(settings, time)
    if settings.model_fields_set - {time} and not seconds:
        raise ValueError(f"nothing is stopped without {time}: give it in seconds, or leave the other settings away")
    interval = getattr(settings, INTERVAL)
    if seconds and interval is not None and interval > seconds:
        raise ValueError(f"{INTERVAL}, {interval}, is more than {time}, {seconds}: look at least as often")
    return settings


class KernelCullSettings(Model):
    """Kernels. Names and meanings are those of Jupyter Server's MappingKernelManager."""

    cull_idle_timeout: int = Field(default=0, ge=0, le=LONGEST_SECONDS)
    """Stop a kernel that was idle for this many seconds. If omitted, none is."""
    cull_interval: int | None = Field(default=None, gt=0, le=LONGEST_SECONDS)
    """Seconds between looks. If omitted, 300, or the time after which something is stopped where that is shorter."""
    cull_connected: bool = False
    """Also kernels whose notebook is open in a browser."""
    cull_busy: bool = False
    """Also kernels that compute."""

    @model_validator(mode="after")
    def _stops_some(self) -> "KernelCullSettings":
        return _with_a_time(self, TIMES["kernels"])


class TerminalCullSettings(Model):
    """Terminals. Names and meanings are those of Jupyter Server's TerminalManager."""

    cull_inactive_timeout: int = Field(default=0, ge=0, le=LONGEST_SECONDS)
    """Close a terminal in which nothing was typed or shown for this many seconds. If omitted, none is."""
    cull_interval: int | None = Field(default=None, gt=0, le=LONGEST_SECONDS)
    """Seconds between looks. If omitted, 300, or the time after which something is stopped where that is shorter."""

    @model_validator(mode="after")
    def _closes_some(self) -> "TerminalCullSettings":
        return _with_a_time(self, TIMES["terminals"])


class KernelCullGroupSettings(Model):
    """Kernels of the members, in the same words as everyone's. What is omitted is everyone's."""

    cull_idle_timeout: int | None = Field(default=None, ge=0, le=LONGEST_SECONDS)
    """In seconds; 0 for no limit."""
    cull_interval: int | None = Field(default=None, gt=0, le=LONGEST_SECONDS)
    """Seconds between looks. If omitted, everyone's, or the time after which something is stopped where that is
    shorter."""
    cull_connected: bool | None = None
    """Also kernels whose notebook is open in a browser."""
    cull_busy: bool | None = None
    """Also kernels that compute."""


class TerminalCullGroupSettings(Model):
    """Terminals of the members, in the same words as everyone's. What is omitted is everyone's."""

    cull_inactive_timeout: int | None = Field(default=None, ge=0, le=LONGEST_SECONDS)
    """In seconds; 0 for no limit."""
    cull_interval: int | None = Field(default=None, gt=0, le=LONGEST_SECONDS)
    """Seconds between looks. If omitted, everyone's, or the time after which something is stopped where that is
    shorter."""


def _with_everyones(own: Model | None, everyones: KernelCullSettings | TerminalCullSettings, time: str) -> Values:
    said = own.model_dump(exclude_none=True) if own else {}
    values = {**everyones.model_dump(), **said}
    usual = min(everyones.cull_interval or USUAL_INTERVAL_SECONDS, values[time])
    return {**values, INTERVAL: said.get(INTERVAL, usual)}


class CullGroupSettings(ChartModel):
    """Other limits for the members of some of the hub's groups."""

    groups: tuple[GroupName, ...] = Field(min_length=1)
    """The groups. Whoever is in groups of several entries has the longest of each limit; of kernels, those stay that
    any of the entries keeps."""
    timeout: int | None = Field(default=None, ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)
    """In seconds. If omitted, everyone's."""
    max_age: int | None = Field(default=None, ge=0, le=LONGEST_SECONDS)
    """In seconds; 0 for no limit. If omitted, everyone's."""
    kernels: KernelCullGroupSettings | None = None
    """Kernels inside their servers, by the groups in which they are when a server starts. If omitted, everyone's."""
    terminals: TerminalCullGroupSettings | None = None
    """Terminals inside their servers, by the groups in which they are when a server starts. If omitted, everyone's."""

    @model_validator(mode="after")
    def _says_something(self) -> "CullGroupSettings":
        inside = [each for each in (self.kernels, self.terminals) if each and each.model_dump(exclude_none=True)]
        if self.timeout is None and self.max_age is None and not inside:
            raise ValueError("give timeout, maxAge, kernels or terminals: this entry changes nothing")
        return self


class CullSettings(ChartModel):
    """When servers are stopped by themselves. Files are safe; what only a kernel's memory holds is lost."""

    enabled: bool = True
    """Whether servers are stopped at all."""
    timeout: int | None = Field(default=None, ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)
    """Stop servers that were idle for this many seconds. If omitted, `hub.cull_idle_seconds`."""
    every: int | None = Field(default=None, ge=30, le=LONGEST_SECONDS)
    """Seconds between looks. If omitted, a quarter of the shortest limit, and 30 at least."""
    max_age: int = Field(default=0, ge=0, le=LONGEST_SECONDS)
    """Stop servers that have run for this many seconds, also those in use; 0 for no limit."""
    concurrency: int = Field(default=10, ge=1)
    """How many servers are stopped at a time."""
    groups: tuple[CullGroupSettings, ...] = ()
    """Other limits for members of groups; they are in place of everyone's, also where they are shorter."""
    kernels: KernelCullSettings = KernelCullSettings()
    """Kernels inside servers that run on."""
    terminals: TerminalCullSettings = TerminalCullSettings()
    """Terminals inside servers that run on."""

    @property
    def inside_of_groups(self) -> bool:
        """Whether groups have other limits of kernels or terminals."""
        return any(each.kernels or each.terminals for each in self.groups)

    def inside(self, entry: CullGroupSettings | None = None) -> dict[str, Values]:
        """Return the settings of kernels and terminals with every default filled in: those of an entry of `groups`, or
        everyone's."""
        return {
            kind: _with_everyones(getattr(entry, kind, None), getattr(self, kind), time) for kind, time in TIMES.items()
        }
