"""Checks of what programs need of a machine: limits with which they do not start, and more than a machine has."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import NamedSizeSettings, OverrideSettings, Site, SizeSettings
from stacks.settings.amounts import amount_of, bytes_of
from stacks.settings.scheduling import ResourcesSettings, cores_of


@dataclass(frozen=True)
class Program:
    """A program, and the least that it starts with."""

    name: str
    """For people."""
    cpu: str
    """Cores: with fewer, its probes end it before it answers."""
    memory: str
    """Memory: with less, the kernel kills it at its start."""


HUB: Final = Program("the hub, with what it runs beside itself,", "100m", "192Mi")
"""JupyterHub with all its modules takes 156 MiB and 3.3 seconds of a core before it answers, and the
service beside it that every site has 25 to 35 MiB; the startup probe gives it 300 seconds."""
PROXY: Final = Program("configurable-http-proxy", "50m", "64Mi")
"""Node takes 40 MiB before it has loaded the proxy."""
EDGE: Final = Program("nginx", "50m", "32Mi")
"""Two workers with 4096 connections each, and 20 MiB for sessions and counters."""
PLACEHOLDER: Final = Program("a placeholder", "1m", "8Mi")
"""Less kills the container runtime's own first process."""
SERVER: Final = Program("a Jupyter server", "50m", "128Mi")
"""Without a kernel. With a twentieth of a core it is up within the default of `start_timeout_seconds`."""
MOST_CORES: Final = 2048
MOST_MEMORY: Final = "64Ti"
"""No machine has more."""


def programs_start(site: Site) -> Iterator[Problem]:
    """Refuse limits of our own pods with which their programs do not start, and requests that no machine meets."""
    placeholder = site.hub.scheduling.user_placeholder.resources
    for path, resources, program in (
        ("hub.resources", site.hub.resources, HUB),
        ("hub.proxy_resources", site.hub.proxy_resources, PROXY),
        ("hub.scheduling.userPlaceholder.resources", placeholder, PLACEHOLDER),
        ("edge.resources", site.edge.resources, EDGE),
    ):
        yield from _limits(path, resources, program)
        asked = resources.requests
        cpu = None if asked.cpu is None else cores_of(asked.cpu)
        yield from _too_much(f"{path}.requests.cpu", cpu, f"{path}.requests.memory", asked.memory)


def _limits(path: str, resources: ResourcesSettings, program: Program) -> Iterator[Problem]:
    cpu, memory = resources.limits.cpu, resources.limits.memory
    if cpu is not None and cores_of(cpu) < cores_of(program.cpu):
        yield _too_little(f"{path}.limits.cpu", cpu, program.name, program.cpu)
    if memory is not None and bytes_of(memory) < bytes_of(program.memory):
        yield _too_little(f"{path}.limits.memory", memory, program.name, program.memory)


def servers_start(site: Site) -> Iterator[Problem]:
    """Refuse sizes with which no user server starts, and those that no machine has room for."""
    sizes: tuple[tuple[str, SizeSettings | NamedSizeSettings | OverrideSettings], ...] = (
        ("hub.size", site.hub.size),
        *((f"hub.sizes.{index}", size) for index, size in enumerate(site.hub.sizes)),
        *(
            (f"hub.profile_list.{index}.kubespawner_override", profile.kubespawner_override)
            for index, profile in enumerate(site.hub.profile_list)
        ),
    )
    for path, size in sizes:
        if size.cpu_limit is not None and Decimal(str(size.cpu_limit)) < cores_of(SERVER.cpu):
            yield _too_little(f"{path}.cpu_limit", f"{size.cpu_limit:g}", SERVER.name, f"{cores_of(SERVER.cpu):f}")
        if size.mem_limit is not None and bytes_of(size.mem_limit) < bytes_of(SERVER.memory):
            yield _too_little(f"{path}.mem_limit", size.mem_limit, SERVER.name, SERVER.memory)
        reserved, most = (
            list(
                _too_much(
                    f"{path}.cpu_{which}", None if cores is None else Decimal(str(cores)), f"{path}.mem_{which}", memory
                )
            )
            for which, cores, memory in (
                ("guarantee", size.cpu_guarantee, size.mem_guarantee),
                ("limit", size.cpu_limit, size.mem_limit),
            )
        )
        yield from reserved or most


def _too_little(path: str, given: str, who: str, least: str) -> Problem:
    return Problem(path, f"{given}: {who} needs more to start", accepted=f"{least} or more")


def _too_much(cpu_path: str, cpu: Decimal | None, memory_path: str, memory: str | None) -> Iterator[Problem]:
    if cpu is not None and cpu > MOST_CORES:
        yield Problem(cpu_path, f"{cpu:f}: no machine has so many cores", accepted=f"at most {MOST_CORES}")
    if memory is not None and bytes_of(memory) > bytes_of(MOST_MEMORY):
        yield Problem(memory_path, f"{memory}: no machine has so much memory", accepted=f"at most {MOST_MEMORY}")


def placeholders_fit(site: Site) -> Iterator[Problem]:
    """Refuse more placeholders than pods that the machines take."""
    wanted = site.hub.scheduling.user_placeholder.replicas
    takers = site.workers_for("user")
    room = len(takers) * site.cluster.max_pods
    if wanted > room:
        yield Problem(
            "hub.scheduling.userPlaceholder.replicas",
            f"{wanted} are more pods than {', '.join(takers)} take with cluster.max_pods, {site.cluster.max_pods}",
            accepted=f"at most {room}, and fewer where people need the room",
        )


def other_resources_are_whole(site: Site) -> Iterator[Problem]:
    """Refuse what Kubernetes refuses of other resources: what is reserved of a device is also the most of it."""
    for index, profile in enumerate(site.hub.profile_list):
        path = f"hub.profile_list.{index}.kubespawner_override"
        override = profile.kubespawner_override
        reserved, most = override.extra_resource_guarantees or {}, override.extra_resource_limits or {}
        for setting, amounts in (("extra_resource_guarantees", reserved), ("extra_resource_limits", most)):
            for name in ("cpu", "memory"):
                if name in amounts:
                    own = f"{name.replace('memory', 'mem')}_{'guarantee' if amounts is reserved else 'limit'}"
                    yield Problem(f"{path}.{setting}.{name}", "has a setting of its own", accepted=own)
        for name, amount in reserved.items():
            if name in most and amount_of(amount) > amount_of(most[name]):
                yield Problem(
                    f"{path}.extra_resource_guarantees.{name}",
                    f"{amount} is reserved, and the limit is {most[name]}",
                    accepted="at most the limit",
                )
            elif ("/" in name or name.startswith("hugepages-")) and str(most.get(name)) != str(amount):
                yield Problem(
                    f"{path}.extra_resource_guarantees.{name}",
                    f"{amount} is reserved, and the limit is {most.get(name, 'not given')}: a device cannot be shared",
                    accepted="extra_resource_limits alone, which also reserves it, or the same in both",
                )


CHECKS: Final[tuple[Check, ...]] = (programs_start, servers_start, placeholders_fit, other_resources_are_whole)
