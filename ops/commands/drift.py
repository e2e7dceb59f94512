"""Drift: what on the machines and in the cluster differs from what the stack applied."""

import argparse
import asyncio
import json
import sys

from rich.console import Console

from converge.stack import StackClient, StateError
from ops.exits import Exit
from ops.sight import Sight, cells, look, together
from ops.tables import console, table


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
    try:
        sight = asyncio.run(look(StackClient(options.stack), kubernetes=options.kubernetes))
    except StateError as error:
        print(error, file=sys.stderr)
        return Exit.UNSEEN
    if options.json:
        print(json.dumps(sight.as_data(), indent=2))
    else:
        show(sight, console())
    return status(sight)


def status(sight: Sight) -> Exit:
    """Return the exit status that says what was seen."""
    return Exit.UNSEEN if sight.unseen else Exit.DIFFERENT if sight.differences else Exit.SAME


def show(sight: Sight, to: Console) -> None:
    """Print the answer for people, with what to do about it."""
    if sight.differences:
        to.print(table(("host", "role", "item", "expected", "found"), cells(sight.differences)))
    if sight.unseen:
        to.print(table(("host", "role", "not looked at, because"), cells(together(sight.unseen))))
    if not sight.differences and not sight.unseen:
        to.print(f"No drift: {sight.extent}.")
    if sight.differences:
        to.print("To put it right, and nothing else: make repair, or python -m ops repair")
