"""One look at everything that a stack stands for: its machines and its objects in the cluster."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from converge import probe
from converge.report import Difference, NotChecked
from converge.stack import StackClient
from converge.state import AppliedRole, applied_roles
from ops import cluster, locks, way


@dataclass(frozen=True)
class Sight:
    """What was seen."""

    state: Mapping[str, Any]
    """The stack's state, with its secrets."""
    roles: tuple[AppliedRole, ...]
    objects: tuple[str, ...]
    """URNs of the cluster's objects."""
    differences: tuple[Difference, ...]
    unseen: tuple[NotChecked, ...]
    """What could not be looked at."""

    @property
    def extent(self) -> str:
        """What was looked at, as people say it."""
        machines = len({role.machine for role in self.roles})
        return f"{machines} machines, {len(self.roles)} roles, {len(self.objects)} objects"

    def as_data(self) -> dict[str, Any]:
        """Return it as data."""
        return {"differences": as_data(self.differences), "unseen": as_data(self.unseen)}


async def look(stack: StackClient, *, kubernetes: bool = True) -> Sight:
    """Look at everything at once; locks on the stack are named. StateError when the state cannot be read."""
    errors = Console(stderr=True)
    for lock in locks.of_backend(stack.name):
        print(locks.meaning(lock, stack.name), file=sys.stderr)
    with errors.status("reading the stack's state"):
        state = await asyncio.to_thread(stack.export)
    roles = tuple(applied_roles(state))
    urns = tuple(cluster.objects(state)) if kubernetes else ()
    machines = len({role.machine for role in roles})
    with errors.status(f"asking {machines} machines about {len(roles)} roles, the cluster about {len(urns)} objects"):
        seen, found = await asyncio.gather(probe.probe(roles), _look_at_cluster(stack, urns))
    return Sight(
        state,
        roles,
        urns,
        (*seen.differences, *(each for each in found if isinstance(each, Difference))),
        (*seen.not_checked, *(each for each in found if isinstance(each, NotChecked))),
    )


async def _look_at_cluster(stack: StackClient, urns: tuple[str, ...]) -> list[Difference | NotChecked]:
    """Ask the cluster, through the jump where there is one; without a way to it the machines are still looked at."""
    if not urns:
        return []
    try:
        async with way.opened(await asyncio.to_thread(way.of_stack, stack)):
            return await cluster.look(stack, urns)
    except way.FAILURES as error:
        return [NotChecked(cluster.HOST, "kubernetes", str(error))]


def as_data(rows: tuple[Difference | NotChecked, ...]) -> list[dict[str, str]]:
    """Return rows as data."""
    return [{name: value for name, value in asdict(row).items() if name != "urn"} for row in rows]


def cells(rows: tuple[Difference | NotChecked, ...]) -> list[list[str]]:
    """Return rows as a table's."""
    return [list(row.values()) for row in as_data(rows)]


def together(unseen: tuple[NotChecked, ...]) -> tuple[NotChecked, ...]:
    """Make one row of the roles of one machine that have one reason in common."""
    roles: dict[tuple[str, str], list[str]] = {}
    for each in unseen:
        roles.setdefault((each.machine, each.reason), []).append(each.role)
    return tuple(NotChecked(machine, ", ".join(names), reason) for (machine, reason), names in roles.items())
