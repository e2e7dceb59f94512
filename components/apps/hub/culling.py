"""When servers are stopped by themselves, as data for the hub."""

from pathlib import Path
from typing import Any, Final

from programs import hub as hub_program
from programs.hub.inside.inside_limits import arguments
from stacks.settings import HubSettings
from stacks.settings.culling import CullSettings

FILES: Final = ("51-inside.py", "inside_limits.py")
"""In the hub's configuration where groups have other limits of kernels and terminals, and only there."""
_DIRECTORY: Final = Path(hub_program.__file__).parent / "inside"
SHORTEST_ROUND = 30
"""Seconds."""
USUAL_TELLING: Final = 300
"""Seconds between two times at which a server tells the hub of its use, JupyterHub's own (jupyterhub/singleuser)."""


def cull_values(hub: HubSettings) -> dict[str, Any]:
    """Return what the fragments and the culler read, with every default filled in."""
    cull = hub.cull
    timeout = hub.cull_timeout
    return {
        "enabled": cull.enabled,
        "timeout": timeout,
        "max_age": cull.max_age,
        "every": cull.every or max(SHORTEST_ROUND, hub.shortest_limit // 4),
        "concurrency": cull.concurrency,
        "telling": telling(hub),
        "groups": [
            {
                "groups": list(each.groups),
                "timeout": each.timeout or timeout,
                "max_age": cull.max_age if each.max_age is None else each.max_age,
            }
            for each in cull.groups
        ],
        "inside": inside(hub),
        **_limits_inside(cull),
    }


def telling(hub: HubSettings) -> int | None:
    """Return every how many seconds servers tell the hub of their use, None where that is as usual.

    What a kernel or a terminal prints now and then, with no browser open, the hub learns by nothing else: a server has
    to tell of it more often than it would be stopped as idle.
    """
    timeouts = [hub.cull_timeout, *(each.timeout for each in hub.cull.groups if each.timeout)]
    seconds = min(timeouts) // 3
    return seconds if hub.cull.enabled and seconds < USUAL_TELLING else None


def culling_files(hub: HubSettings) -> dict[str, str]:
    """Return by name the files that give kernels and terminals the limits of groups, none where groups have none."""
    return {name: (_DIRECTORY / name).read_text() for name in FILES} if hub.cull.inside_of_groups else {}


def inside(hub: HubSettings) -> list[str]:
    """Return the arguments with which user servers stop kernels and terminals, none where the site says nothing."""
    return arguments(hub.cull.inside())


def _limits_inside(cull: CullSettings) -> dict[str, Any]:
    """Return what the fragment 51-inside.py reads; nothing where groups have no other limits."""
    if not cull.inside_of_groups:
        return {}
    entries = [{"groups": list(each.groups), **cull.inside(each)} for each in cull.groups]
    return {"limits_inside": {**cull.inside(), "groups": entries}}
