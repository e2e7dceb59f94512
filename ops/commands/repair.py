"""Repair: puts right what has drifted on the machines and in the cluster, and applies nothing else."""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from converge.engine import EngineError
from converge.report import Difference
from converge.stack import StackClient
from ops import locks, way
from ops.exits import Exit
from ops.repairs import Left, Plan, carry_out, plan
from ops.sight import Sight, cells, look, together
from ops.tables import console, table


@dataclass(frozen=True)
class Outcome:
    """How a repair ended."""

    found: Sight
    plan: Plan | None
    """None when nothing had drifted."""
    now: Sight
    """What was seen at the end."""
    left: tuple[Left, ...] = ()

    @property
    def status(self) -> Exit:
        """The exit status."""
        if self.now.unseen:
            return Exit.UNSEEN
        return Exit.DIFFERENT if self.now.differences or self.left else Exit.SAME

    def reason(self, left: Difference) -> str:
        """Return why the repair left this."""
        if any((each.machine, each.role) == (left.machine, left.role) for each in self.found.unseen):
            return "it could not be looked at before the repair: repeat that"
        return (self.plan.held_back if self.plan else {}).get(left.urn, "the repair did not mend it")

    def as_data(self) -> dict[str, Any]:
        """Return it as data."""
        made = self.plan
        return {
            "found": self.found.as_data()["differences"],
            "not_seen_before": self.found.as_data()["unseen"],
            "repaired": [name(urn) for urn in sorted(made.urns if made else ())],
            "held_back": {name(urn): why for urn, why in (made.held_back if made else {}).items()},
            "edits": {name(urn): operation for urn, operation in (made.edits if made else {}).items()},
            "obstacle": made.obstacle if made else "",
            "left": [{"resource": name(each.urn), "reason": each.reason} for each in self.left],
            **self.now.as_data(),
        }


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Put the command on the command line."""
    command = commands.add_parser(
        "repair",
        help="put right what has drifted on the machines and in the cluster, and nothing else",
        description="Shows what it will do; asks first, unless the stack is a lab's. Ends with 0 when nothing is left "
        "to repair, 1 when something is, 2 when something could not be looked at.",
    )
    command.add_argument("--stack", help="the stack (default: the selected one)")
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument("--json", action="store_true", help="print data instead of tables")
    return command


def run(options: argparse.Namespace) -> Exit:
    """Do it, and return the exit status."""
    try:
        outcome = asyncio.run(_repair(StackClient(options.stack), options))
    except (*way.FAILURES, EngineError) as error:
        print(error, file=sys.stderr)
        return Exit.UNSEEN
    except KeyboardInterrupt:
        print("interrupted: repeat it, and see in `pulumi preview` whether anything is left", file=sys.stderr)
        return Exit.DIFFERENT
    if outcome is None:
        return Exit.DIFFERENT
    if options.json:
        print(json.dumps(outcome.as_data(), indent=2))
    else:
        show(outcome, console())
    return outcome.status


async def _repair(stack: StackClient, options: argparse.Namespace) -> Outcome | None:
    """Return how it ended; None when it may not be done."""
    if locks.unlock(stack.name):
        return None
    found = await look(stack)
    if not found.differences:
        return Outcome(found, None, found)
    async with way.opened(await asyncio.to_thread(way.of_stack, stack)):
        return await asyncio.to_thread(_repair_what_was_found, stack, found, options)


def _repair_what_was_found(stack: StackClient, found: Sight, options: argparse.Namespace) -> Outcome | None:
    with Console(stderr=True).status("previewing what the program would do besides"):
        made = plan(stack, found)
    progress = sys.stderr if options.json else sys.stdout
    show_plan(found, made, console(progress))
    if not made.urns:
        return Outcome(found, made, found)
    if not (options.yes or locks.of_a_rack(stack.name) or _agreed(stack.name, len(made.urns))):
        return None
    left = carry_out(stack, made, found, lambda line: print(line, end="", file=progress, flush=True))
    return Outcome(found, made, asyncio.run(look(stack)), left)


def _agreed(stack: str, count: int) -> bool:
    """Ask the person at the terminal; say why not when there is none."""
    if not sys.stdin.isatty():
        print(
            f"{stack} is not a lab's stack, and the input is not a terminal, so no one can agree: nothing was changed\n"
            f"    type: python -m ops repair --stack {stack} --yes",
            file=sys.stderr,
        )
        return False
    print(f"Update these {count} resources of {stack}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def show_plan(found: Sight, made: Plan, to: Console) -> None:
    """Print what will be done about each difference."""
    rows = zip(cells(found.differences), found.differences, strict=True)
    to.print(
        table(
            ("host", "role", "item", "expected", "found", "repair"),
            [[*row, made.held_back.get(each.urn) or "yes"] for row, each in rows],
        )
    )
    if found.unseen:
        to.print(table(("host", "role", "not repaired: not looked at, because"), cells(together(found.unseen))))
    if follow := sorted(made.urns - {each.urn for each in found.differences}):
        to.print(f"After these, as they need their facts: {', '.join(map(name, follow))}")


def show(outcome: Outcome, to: Console) -> None:
    """Print how it ended."""
    now, made = outcome.now, outcome.plan
    if made is None and not now.unseen:
        to.print(f"No drift, nothing to repair: {now.extent}.")
    elif outcome.status == Exit.SAME:
        to.print(f"Repaired; no drift is left: {now.extent}.")
    if now.differences:
        rows = zip(cells(now.differences), now.differences, strict=True)
        why = [[*row, outcome.reason(each)] for row, each in rows]
        to.print(table(("host", "role", "item", "expected", "found", "left, because"), why))
    if outcome.left:
        to.print(table(("resource", "left, because"), [[name(each.urn), each.reason] for each in outcome.left]))
    if now.unseen:
        to.print(table(("host", "role", "not looked at, because"), cells(together(now.unseen))))
    if made and made.obstacle:
        to.print(f"The rest of the program cannot be previewed: {made.obstacle}")
    if made and made.edits:
        to.print(sentence(made.edits))


def sentence(edits: Mapping[str, str]) -> str:
    """Return what is said of changes that a repair does not apply."""
    one = len(edits) == 1
    names = ", ".join(f"{name(urn)} ({operation})" for urn, operation in edits.items())
    return (
        f"{len(edits)} resource{'' if one else 's'} differ{'s' if one else ''} because the program or the settings "
        f"changed (or a repair was cut short); `pulumi up` applies {'it' if one else 'them'}: {names}"
    )


def name(urn: str) -> str:
    """Return the logical name in a URN."""
    return urn.rpartition("::")[2]
