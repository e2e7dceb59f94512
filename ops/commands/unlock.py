"""Removes the locks that killed updates left on a virtual rack's stack."""

import argparse

from ops import locks


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Put the command on the command line."""
    command = commands.add_parser(
        "unlock",
        help="remove the locks that killed updates left on a virtual rack's stack; for any other, say how",
        description="Ends with 0 when the stack is free, 1 when it is still locked.",
    )
    command.add_argument("--stack", required=True, help="the stack")
    return command


def run(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    return locks.unlock(options.stack)
