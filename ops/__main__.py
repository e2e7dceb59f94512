"""The command line: `python -m ops drift [--stack STACK] [--json]`, `python -m ops unlock --stack STACK`."""

import argparse
import importlib
import pkgutil
import sys
import traceback
from typing import Final

from ops import commands

FAULT: Final = 70
"""Exit status of a command that failed by a fault of its own (EX_SOFTWARE, sysexits.h): the interpreter's own 1 would
read as an answer, such as "there is drift"."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command: each file in `ops/commands` is one."""
    top = argparse.ArgumentParser(prog="python -m ops", description="Day 2 of a stack.")
    found = top.add_subparsers(dest="command", required=True)
    for each in pkgutil.iter_modules(commands.__path__):
        module = importlib.import_module(f"{commands.__name__}.{each.name}")
        module.add(found).set_defaults(run=module.run)
    return top


def main(arguments: list[str]) -> int:
    """Do what the command line says and return the exit status."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except Exception:  # whatever it is, it is not a result
        traceback.print_exc()
        return FAULT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
