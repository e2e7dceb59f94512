"""When servers are stopped by themselves, as data for the hub."""

from typing import Any

from stacks.settings import HubSettings
from stacks.settings.culling import INTERVAL, USUAL_INTERVAL_SECONDS, KernelCullSettings, TerminalCullSettings

SHORTEST_ROUND = 30
"""Seconds."""


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
