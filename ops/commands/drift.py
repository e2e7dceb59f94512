"""Drift: what on the machines and in the cluster differs from what the stack applied."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from enum import IntEnum
from typing import Any

from rich.console import Console

from converge import probe
from converge.report import Difference, NotChecked
from converge.stack import StackClient, StateError
from converge.state import applied_roles
from ops import cluster, locks, way
from ops.tables import console, table


class Exit(IntEnum):
    """How the command ends."""

    CLEAN = 0
    DRIFT = 1
    UNSEEN = 2


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Put the command on the command line."""
    command = commands.add_parser(
        "drift",
        help="show drift on the machines and in the cluster",
        description="Changes nothing, and needs no lock. Ends with 0 without drift, 1 when something differs, "
        "2 when something could not be looked at.",
    )
    command.add_argument("--stack", help="the stack (default: the selected one)")
    command.add_argument("--json", action="store_true", help="print data instead of a table")
    command.add_argument(
        "--kubernetes",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="look at the cluster's objects too, if the stack has any",
    )
    return command


def run(options: argparse.Namespace) -> Exit:
    """Do it, and return the exit status."""
    return asyncio.run(look(StackClient(options.stack), kubernetes=options.kubernetes, as_json=options.json))


async def look(stack: StackClient, *, kubernetes: bool, as_json: bool) -> Exit:
    """Look at everything at once, print what was found, and say so in the exit status."""
    errors = Console(stderr=True)
    try:
        for lock in locks.of_backend(stack.name):
            print(locks.meaning(lock, stack.name), file=sys.stderr)
        with errors.status("reading the stack's state"):
            state = await asyncio.to_thread(stack.export)
        roles = list(applied_roles(state))
    except StateError as error:
        print(error, file=sys.stderr)
        return Exit.UNSEEN
    urns = cluster.objects(state) if kubernetes else []
    machines = len({role.machine for role in roles})
    with errors.status(f"asking {machines} machines about {len(roles)} roles, the cluster about {len(urns)} objects"):
        seen, found = await asyncio.gather(probe.probe(roles), _look_at_cluster(stack, urns))
    differences = [*seen.differences, *(each for each in found if isinstance(each, Difference))]
    unseen = [*seen.not_checked, *(each for each in found if isinstance(each, NotChecked))]
    if as_json:
        print(json.dumps(data(differences, unseen), indent=2))
    else:
        show(differences, unseen, f"{machines} machines, {len(roles)} roles, {len(urns)} objects", console())
    return Exit.UNSEEN if unseen else Exit.DRIFT if differences else Exit.CLEAN


async def _look_at_cluster(stack: StackClient, urns: Sequence[str]) -> list[Difference | NotChecked]:
    """Ask the cluster, through the jump where there is one; without a way to it the machines are still looked at."""
    if not urns:
        return []
    try:
        async with way.opened(await asyncio.to_thread(way.of_stack, stack)):
            return await cluster.look(stack, urns)
    except way.FAILURES as error:
        return [NotChecked(cluster.HOST, "kubernetes", str(error))]


def data(differences: Sequence[Difference], unseen: Sequence[NotChecked]) -> dict[str, Any]:
    """Return the answer as data."""
    return {
        "differences": [asdict(each) for each in differences],
        "unseen": [asdict(each) for each in unseen],
    }


def show(differences: Sequence[Difference], unseen: Sequence[NotChecked], looked_at: str, to: Console) -> None:
    """Print the answer for people, with what to do about it."""
    if differences:
        to.print(table(("host", "role", "item", "expected", "found"), _cells(differences)))
    if unseen:
        to.print(table(("host", "role", "not looked at, because"), _cells(_together(unseen))))
    if not differences and not unseen:
        to.print(f"No drift: {looked_at}.")
    if any(each.machine != cluster.HOST for each in differences):
        to.print("To see it as a plan: HENHOUSE_PROBE=1 pulumi preview. To repair it: HENHOUSE_PROBE=1 pulumi up")
    if any(each.machine == cluster.HOST for each in differences):
        to.print("To repair the cluster's objects: pulumi up --refresh")


def _together(unseen: Sequence[NotChecked]) -> list[NotChecked]:
    """One row for roles of one machine that have one reason in common."""
    roles: dict[tuple[str, str], list[str]] = {}
    for each in unseen:
        roles.setdefault((each.machine, each.reason), []).append(each.role)
    return [NotChecked(machine, ", ".join(names), reason) for (machine, reason), names in roles.items()]


def _cells(rows: Sequence[Difference | NotChecked]) -> list[list[str]]:
    return [list(asdict(row).values()) for row in rows]
