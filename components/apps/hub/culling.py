"""When servers are stopped by themselves, as data for the hub."""

from typing import Any, Final

from stacks.settings import HubSettings
from stacks.settings.culling import INTERVAL, USUAL_INTERVAL_SECONDS, KernelCullSettings, TerminalCullSettings

SHORTEST_ROUND = 30
"""Seconds."""


USUAL_TELLING: Final = 300
"""Seconds between two times at which a server tells the hub of its use, JupyterHub's own (jupyterhub/singleuser)."""


def cull_values(hub: HubSettings) -> dict[str, Any]:
    """Return what the fragment 50-culling.py and the culler read, with every default filled in."""
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
    }


def telling(hub: HubSettings) -> int | None:
    """Return every how many seconds servers tell the hub of their use, None where that is as usual.

    A server in which a kernel computes, and to which no browser talks, shows by nothing else that it is in use: it has
    to say so more often than it would be stopped as idle.
    """
    timeouts = [hub.cull_timeout, *(each.timeout for each in hub.cull.groups if each.timeout)]
    seconds = min(timeouts) // 3
    return seconds if hub.cull.enabled and seconds < USUAL_TELLING else None


def inside(hub: HubSettings) -> list[str]:
    """Return the arguments with which user servers stop kernels and terminals, none where the site says nothing.

    Arguments, because they come after the configuration that the image or the person has.
    """
    kernels, terminals = hub.cull.kernels, hub.cull.terminals
    return [
        *_arguments("MappingKernelManager", kernels, kernels.cull_idle_timeout),
        *_arguments("TerminalManager", terminals, terminals.cull_inactive_timeout),
    ]


def _arguments(owner: str, settings: KernelCullSettings | TerminalCullSettings, seconds: int) -> list[str]:
    if not seconds:
        return []
    usual = min(USUAL_INTERVAL_SECONDS, seconds)
    given = {**settings.model_dump(), INTERVAL: settings.cull_interval or usual}
    return [f"--{owner}.{name}={value}" for name, value in given.items()]
