"""A stack as Pulumi's Automation API shows it (https://www.pulumi.com/docs/iac/automation-api/).

The API's own `Stack` is not used: it selects the stack in the working directory, and the next `pulumi up` that a person
types there would go to another stack than before.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

from pulumi.automation import LocalWorkspace

from converge.engine import Engine, EngineError, data, stream

EXPORT_SECONDS: Final = 120.0
PREVIEW_SECONDS: Final = 600.0
PARTIAL: Final = "HENHOUSE_PARTIAL"
"""The environment of a program whose update is of some resources alone."""
Answer = TypeVar("Answer")


class StateError(Exception):
    """The state could not be read; the message says why."""


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

    def resources(self) -> list[dict[str, Any]]:
        """Return the resources of the state, with secrets as they are stored. EngineError if it fails."""
        deployment = data(Engine(EXPORT_SECONDS).answer("stack", "export", "--stack", self.name)).get("deployment")
        found: list[dict[str, Any]] = (deployment or {}).get("resources") or []
        return found

    def config(self) -> dict[str, str]:
        """Return the configuration in the stack's file, decrypted. StateError if it fails.

        Structured values are JSON.
        """
        found = self._ask(lambda workspace: workspace.get_all_config(self.name))
        return {key: each.value for key, each in found.items()}

    def outputs(self) -> dict[str, Any]:
        """Return the outputs; those that are secret are masked, so no passphrase is needed. EngineError if it fails."""
        return data(Engine(EXPORT_SECONDS).answer("stack", "output", "--json", "--stack", self.name))

    def preview_refresh(self, urns: Sequence[str], seconds: float) -> dict[str, Any]:
        """Return what the engine would write into the state of these resources, as its `--json` has it.

        It takes no lock (pulumi/pkg/backend/diy), so it works while an update runs. EngineError when it fails,
        or takes longer than `seconds`.
        """
        command = ["refresh", "--preview-only", "--json", "--stack", self.name, *_targets(urns)]
        return data(Engine(seconds).answer(*command))

    def preview(self, urns: Sequence[str], variables: Mapping[str, str]) -> dict[str, str]:
        """Return what an update would do, as operations by URN: of these resources, or of all if none is named.

        The providers and the stack itself always take part. It takes no lock. EngineError when the program fails.
        """
        command = ["preview", "--json", "--stack", self.name, *_targets(urns)]
        printed = Engine(PREVIEW_SECONDS).answer(*command, variables=variables)
        steps = data(printed).get("steps")
        if steps is None:
            raise EngineError(f"`pulumi preview --json` printed no plan: {printed.strip()[:200]}")
        return {step["urn"]: _OPERATIONS[step["op"]] for step in steps if step["op"] in _OPERATIONS}

    def update(
        self, urns: Sequence[str], on_line: Callable[[str], None], variables: Mapping[str, str], *, refresh: bool
    ) -> int:
        """Update these resources and nothing else; return the engine's exit status.

        With `refresh` their state is refreshed first: what is missing is then made, what differs is changed back. A
        fault of one does not hold up the others.
        """
        words = ["--yes", "--skip-preview", "--suppress-outputs", "--continue-on-error"]
        again = ["--refresh"] if refresh else []
        command = ["up", "--stack", self.name, *words, *again, *_targets(urns)]
        return stream(command, {**variables, PARTIAL: "1"}, on_line)

    def _ask(self, question: Callable[[LocalWorkspace], Answer]) -> Answer:
        command = Engine(EXPORT_SECONDS)
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


_OPERATIONS: Final[Mapping[str, str]] = {
    **{each: each for each in ("create", "update", "delete", "replace")},
    **dict.fromkeys(("create-replacement", "delete-replaced"), "replace"),
}


def _targets(urns: Sequence[str]) -> list[str]:
    return [word for urn in urns for word in ("--target", urn)]
