"""The command line: `python -m ops drift [--stack STACK] [--json]`, `python -m ops welcome [--stack STACK]`."""

import argparse
import asyncio
import sys

from ops import drift, welcome


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(prog="python -m ops", description="Day 2 of a stack.")
    commands = top.add_subparsers(dest="command", required=True)
    found = commands.add_parser(
        "drift",
        help="what on the machines and in the cluster is not as the stack left it",
        description="Changes nothing. Ends with 0 when all is as it should be, 1 when something differs, "
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
    greeting = commands.add_parser("welcome", help="where the hub is, and how to log in for the first time")
    greeting.add_argument("--stack", help="the stack (default: the selected one)")
    return top


def main(arguments: list[str]) -> int:
    """Does what the command line says and returns the exit status."""
    options = parser().parse_args(arguments)
    if options.command == "welcome":
        return welcome.run(options.stack)
    return asyncio.run(drift.run(options.stack, kubernetes=options.kubernetes, as_json=options.json))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
