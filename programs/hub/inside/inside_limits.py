"""After how long a person's server stops its kernels and terminals; shipped to the hub where groups have other limits.

The stack makes the arguments of sites without such groups with it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

OWNERS = {"kernels": "MappingKernelManager", "terminals": "TerminalManager"}
"""Jupyter Server's classes, by what they stop."""
TIMES = {"kernels": "cull_idle_timeout", "terminals": "cull_inactive_timeout"}
"""After how many seconds; 0 where the site says nothing, and the server's own configuration decides."""

Values = Mapping[str, int | bool]
"""The settings of one of the classes, with every default filled in."""


def limits_inside(inside: Mapping[str, Any], groups: Collection[str]) -> dict[str, Values]:
    """Return the limits of a person in these groups: of the entries that name one, the most generous value of each
    setting, or else everyone's."""
    entries = [each for each in inside["groups"] if set(each["groups"]) & set(groups)] or [inside]
    return {kind: _most_generous(TIMES[kind], [each[kind] for each in entries]) for kind in OWNERS}


def _most_generous(time: str, entries: Sequence[Values]) -> Values:
    """Return the longest times, and of what else may be stopped, what each entry stops."""
    each = {name: [entry[name] for entry in entries] for name in entries[0]}
    chosen = {name: min(values) if isinstance(values[0], bool) else max(values) for name, values in each.items()}
    return {**chosen, time: 0} if 0 in each[time] else chosen


def arguments(limits: Mapping[str, Values]) -> list[str]:
    """Return the limits as arguments of Jupyter Server, none for what the site says nothing of.

    Arguments, because they come after the configuration that the image or the person has.
    """
    return [
        f"--{owner}.{name}={value}"
        for kind, owner in OWNERS.items()
        if limits[kind][TIMES[kind]]
        for name, value in limits[kind].items()
    ]


def with_limits(given: Sequence[str], limits: Sequence[str], earlier: Collection[str]) -> list[str]:
    """Return a server's arguments with these limits in place of earlier ones.

    What the site's own arguments say stays: Jupyter Server does not start with one setting twice.
    """
    own = [each for each in given if each not in earlier]
    said = {each.partition("=")[0] for each in own}
    return [*own, *(each for each in limits if each.partition("=")[0] not in said)]
