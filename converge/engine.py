"""The engine's command line, bounded in time, and what it says when it fails.

The Automation API's own `PulumiCommand` knows no time limit and asks for the version each time.
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pulumi.automation import CommandResult, OnOutput, PulumiCommand
from pulumi.automation.errors import create_command_error

_PULUMI: Final = ("pulumi", "--non-interactive")


class EngineError(Exception):
    """A command of the engine's failed; the message is the engine's own."""


class Engine(PulumiCommand):
    """The command line, also for the Automation API; subprocess.TimeoutExpired after `seconds`."""

    def __init__(self, seconds: float, environment: Mapping[str, str] | None = None) -> None:
        """`environment` is the whole of it (default: this process's)."""
        # Not the API's own, which runs `pulumi version` each time: `__main__.py` requires a version of the engine.
        self.command = _PULUMI[0]
        self.version = None
        self.seconds = seconds
        self.environment = environment
        self.last = CommandResult("", "", 0)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> CommandResult:
        done = subprocess.run(
            [*_PULUMI, *args],
            cwd=cwd,
            env={**(os.environ if self.environment is None else self.environment), **additional_env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=self.seconds,
            check=False,
        )
        self.last = CommandResult(done.stdout, done.stderr, done.returncode)
        if done.returncode != 0:
            raise create_command_error(self.last)
        return self.last

    def answer(self, *arguments: str, directory: str = ".", variables: Mapping[str, str] | None = None) -> str:
        """Run a command and return what it prints. EngineError when it fails or takes too long."""
        try:
            return self.run(list(arguments), directory, variables or {}).stdout
        except subprocess.TimeoutExpired:
            raise EngineError(f"`pulumi {arguments[0]}` did not end within {self.seconds:.0f} s") from None
        except FileNotFoundError:
            raise EngineError("pulumi is not on PATH; `make shell` opens a shell in which it is") from None
        except Exception as error:  # whatever the API calls it
            raise EngineError(reason(self.last) or f"`pulumi {arguments[0]}` failed: {error}") from None


def stream(arguments: Sequence[str], variables: Mapping[str, str], on_line: Callable[[str], None]) -> int:
    """Run a command that changes a stack, hand over each line as it is printed, and return the exit status.

    An interrupt is the engine's to answer: it ends what it is doing and gives its lock back, and is waited for.
    """
    process = subprocess.Popen(
        [*_PULUMI, *arguments],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # so that a Ctrl-C reaches it only through this process, and once
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            on_line(line)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.communicate()
        raise
    return process.wait()


def data(printed: str) -> dict[str, Any]:
    """Return the object that a command with ``--json`` printed; an empty one for anything else."""
    try:
        found = json.loads(printed)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def reason(result: CommandResult) -> str:
    """Return why a command failed: the errors in its ``--json``, and what it said beside it."""
    found = data(result.stdout).get("diagnostics", ())
    said = [str(each.get("message", "")).strip() for each in found if each.get("severity", "error") == "error"]
    return "\n".join(filter(None, [*said, result.stderr.strip()]))
