"""A stack as Pulumi's Automation API shows it (https://www.pulumi.com/docs/iac/automation-api/).

The API's own `Stack` is not used: it selects the stack in the working directory, and the next `pulumi up` that a person
types there would go to another stack than before.
"""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

from pulumi.automation import CommandResult, LocalWorkspace, OnOutput, PulumiCommand
from pulumi.automation.errors import create_command_error

EXPORT_SECONDS: Final = 120.0
Answer = TypeVar("Answer")


class StateError(Exception):
    """The state could not be read; the message says why."""


class RefreshError(Exception):
    """A refresh could not be previewed; the message says why."""


class _BoundedCommand(PulumiCommand):
    """The API's command line, which has no time limit of its own; subprocess.TimeoutExpired after `seconds`."""

    def __init__(self, seconds: float) -> None:
        # Not the API's own, which runs `pulumi version` each time: `__main__.py` requires a version of the engine.
        self.command = "pulumi"
        self.version = None
        self.seconds = seconds
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
            [self.command, "--non-interactive", *args],
            cwd=cwd,
            env={**os.environ, **additional_env},
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


class StackClient:
    """One stack of the project in the working directory."""

    def __init__(self, name: str | None) -> None:
        """Name the stack; None is the one that is selected."""
        self._given = name

    @cached_property
    def name(self) -> str:
        """The stack's name. StateError if none is given and none selected."""
        if self._given:
            return self._given
        selected = self._ask(lambda workspace: workspace.stack())
        if selected is None:
            raise StateError("no stack is selected here: name one with --stack")
        return str(selected.name)

    def export(self) -> dict[str, Any]:
        """Return the state with its secrets. StateError when the engine cannot give it."""
        return {"deployment": self._ask(lambda workspace: workspace.export_stack(self.name)).deployment}

    def config(self) -> dict[str, str]:
        """Return the configuration in the stack's file, decrypted. StateError if it fails.

        Structured values are JSON.
        """
        found = self._ask(lambda workspace: workspace.get_all_config(self.name))
        return {key: each.value for key, each in found.items()}

    def preview_refresh(self, urns: Sequence[str], seconds: float) -> dict[str, Any]:
        """Return what the engine would write into the state of these resources, as its `--json` has it.

        It takes no lock (pulumi/pkg/backend/diy), so it works while an update runs. RefreshError when it fails,
        or takes longer than `seconds`.
        """
        command = _BoundedCommand(seconds)
        targets = [word for urn in urns for word in ("--target", urn)]
        try:
            command.run(["refresh", "--preview-only", "--json", "--stack", self.name, *targets], ".", {})
        except subprocess.TimeoutExpired:
            raise RefreshError(f"the API server did not answer within {seconds:.0f} s") from None
        except Exception as error:  # whatever the API calls it
            raise RefreshError(_reason(command.last) or str(error)) from None
        return _data(command.last.stdout)

    def _ask(self, question: Callable[[LocalWorkspace], Answer]) -> Answer:
        command = _BoundedCommand(EXPORT_SECONDS)
        try:
            return question(LocalWorkspace(work_dir=".", pulumi_command=command))
        except FileNotFoundError:
            raise StateError("pulumi is not on PATH; `make shell` opens a shell in which it is") from None
        except subprocess.TimeoutExpired:
            raise StateError(f"the engine did not answer within {EXPORT_SECONDS:.0f} s") from None
        except Exception as error:
            if command.last.code == 0:
                raise
            raise StateError(f"the engine failed: {command.last.stderr.strip()}") from error


def _data(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _reason(result: CommandResult) -> str:
    said = [str(each.get("message", "")).strip() for each in _data(result.stdout).get("diagnostics", ())]
    return "; ".join(filter(None, [*said, result.stderr.strip()]))
