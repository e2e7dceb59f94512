"""The command line: `python -m ops drift [--stack STACK] [--json]`, `python -m ops unlock --stack STACK`."""

import argparse
import asyncio
import sys

from ops import drift, locks


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(prog="python -m ops", description="Day 2 of a stack.")
    commands = top.add_subparsers(dest="command", required=True)
    found = commands.add_parser(
        "drift",
        help="show drift on the machines and in the cluster",
        description="Changes nothing, and needs no lock. Ends with 0 when there is no drift, 1 when something differs, "
        "2 when something could not be looked at.",
    )
    found.add_argument("--stack", help="the stack (default: the selected one)")
    found.add_argument("--json", action="store_true", help="print data instead of a table")
    found.add_argument(
        "--kubernetes",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="look at the cluster's objects too, if the stack has any",
    )
    free = commands.add_parser(
        "unlock",
        help="remove the locks that killed updates left on a virtual rack's stack; for any other, say how",
        description="Ends with 0 when the stack is free, 1 when it is still locked.",
    )
    free.add_argument("--stack", required=True, help="the stack")
    return top


def main(arguments: list[str]) -> int:
    """Do what the command line says and return the exit status."""
    options = parser().parse_args(arguments)
    if options.command == "unlock":
        return locks.unlock(options.stack)
    return asyncio.run(drift.run(options.stack, kubernetes=options.kubernetes, as_json=options.json))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
