"""The tunnel to a cluster behind a jump: for one command, or until it is ended."""

import argparse
import asyncio
import os
import subprocess
import sys
from typing import Final

from converge.stack import StackClient, StateError
from ops import way

OPEN: Final = "open"
"""What the process that holds the tunnel prints once it is."""
_LOOK_SECONDS: Final = 0.5
FAILED: Final = 2


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Put the command on the command line."""
    command = commands.add_parser(
        "tunnel",
        help="open the tunnel to a cluster behind the jump, for one command or until Ctrl-C",
        description="With a command, runs it with the tunnel open and ends as it does; of a stack without a jump, only "
        "runs it. Without one, holds the tunnel open for others. Ends with 2 when it cannot be opened.",
    )
    command.add_argument("--stack", help="the stack (default: the selected one)")
    command.add_argument("--beside", type=int, help=argparse.SUPPRESS)
    command.add_argument("then", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="such as pulumi up")
    return command


def run(options: argparse.Namespace) -> int:
    """Do it, and return the exit status; with a command, only when it cannot be run."""
    command = options.then[1:] if options.then[:1] == ["--"] else options.then
    stack = StackClient(options.stack)
    try:
        if command:
            return _with_tunnel(stack, command)
        return asyncio.run(_hold(stack, options.beside))
    except way.FAILURES as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 0


def _with_tunnel(stack: StackClient, command: list[str]) -> int:
    """Become the command once a process beside it holds the tunnel. So signals reach it, and its status is ours."""
    if way.has_jump(stack.name):
        holder = subprocess.Popen(
            [sys.executable, "-m", "ops", "tunnel", "--stack", stack.name, "--beside", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C is for the command, which still needs the tunnel to end well
        )
        assert holder.stdout is not None
        if holder.stdout.readline().strip() != OPEN:
            return FAILED
        holder.stdout.close()
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return FAILED


async def _hold(stack: StackClient, beside: int | None) -> int:
    through = await asyncio.to_thread(way.of_stack, stack)
    if through is None:
        raise StateError(f"{stack.name} has no access.jump: its machines are reached directly")
    async with way.opened(through):
        if beside is None:
            print(
                f"the tunnel through {through.jump.name} is open on port {through.port} until Ctrl-C", file=sys.stderr
            )
            await asyncio.Event().wait()
        print(OPEN, flush=True)
        while os.getppid() == beside:
            await asyncio.sleep(_LOOK_SECONDS)
    return 0
