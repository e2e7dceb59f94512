"""``python -m engine exec -- COMMAND...`` runs a command with the engine; ``env`` prints what that adds."""

import argparse
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from engine.install import ensure_engine
from lab import network, ssh
from lab.rack import RackError, load_rack


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(prog="python -m engine", description="The Pulumi engine of the virtual rack.")
    found.add_argument("--rack", help="the rack that the stacks' state is kept beside (default: beside none)")
    within = "run the command inside that rack's network, which has to be up; the engine is made ready outside it"
    found.add_argument("--inside", action="store_true", help=within)
    commands = found.add_subparsers(dest="action", required=True)
    run = commands.add_parser("exec", help="run a command with the engine")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="such as pulumi preview")
    env = commands.add_parser("env", help="print the environment as lines that a shell can read")
    for each in (run, env):
        kept = "directory for the stacks' state (default: the rack's, $PULUMI_BACKEND_URL, or one of its own)"
        each.add_argument("--backend", type=Path, help=kept)
    return found


def main(arguments: list[str]) -> int:
    """Do what the command line says; `exec` does not return."""
    options = parser().parse_args(arguments)
    if options.inside and not options.rack:
        print("--inside needs --rack: the rack whose network it is", file=sys.stderr)
        return 2
    try:
        rack = load_rack(options.rack) if options.inside else None
        if rack is not None:
            network.require_up(rack)
        engine = ensure_engine(options.rack, options.backend)
    except RackError as error:
        print(error, file=sys.stderr)
        return 1
    if options.action == "env":
        for name, value in sorted(engine.env.items()):
            print(f"export {name}={shlex.quote(value)}")
        return 0
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        print("exec needs a command, such as: exec -- pulumi preview --stack dev", file=sys.stderr)
        return 2
    if rack is not None:
        return _become(network.inside(rack, command), {**engine.env, **ssh.environment(rack)})
    return _become(command, engine.env)


def _become(command: list[str], environment: Mapping[str, str]) -> NoReturn:
    os.environ.update(environment)
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
