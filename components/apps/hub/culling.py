"""When servers are stopped by themselves, as data for the hub."""

from typing import Any

from pydantic import BaseModel

from stacks.settings import HubSettings

SHORTEST_ROUND = 30
"""Seconds."""


def cull_values(hub: HubSettings) -> dict[str, Any]:
    """Return what the fragment 50-culling.py and the culler read, with every default filled in."""
    cull = hub.cull
    timeout = cull.timeout or hub.cull_idle_seconds
    return {
        "enabled": cull.enabled,
        "timeout": timeout,
        "max_age": cull.max_age,
        "every": cull.every or max(SHORTEST_ROUND, timeout // 4),
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
        *(_arguments("MappingKernelManager", kernels) if kernels.cull_idle_timeout else []),
        *(_arguments("TerminalManager", terminals) if terminals.cull_inactive_timeout else []),
    ]


def _arguments(owner: str, settings: BaseModel) -> list[str]:
    return [f"--{owner}.{name}={value}" for name, value in settings.model_dump().items()]
