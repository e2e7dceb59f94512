"""The roles in a stack's state: what was last applied on a machine, and how to reach it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from converge.stack import StateError

COMMAND: Final = "command:remote:Command"
HOST_STATE: Final = "henhouse:host:HostState"
_SECRET: Final = ("4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270")
"""How the engine marks a secret in a state, pulumi/sdk/go/common/resource/sig."""


@dataclass(frozen=True)
class AppliedRole:
    """A role as it was last applied."""

    command: str
    """Logical name of the role's command."""
    machine: str
    role: str
    script: str
    stdin: str
    connection: Mapping[str, Any]
    """The inputs of the command's connection, in the engine's camelCase."""
    probe: str
    """The command's `delete` input: what an earlier probe left there."""
    urn: str = ""
    """The command."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the machine reported of itself then; some are secrets."""


def applied_roles(state: Mapping[str, Any]) -> Iterator[AppliedRole]:
    """Yield the roles in an exported state. Raise StateError for a state whose roles do not name their machines."""
    resources = (state.get("deployment") or {}).get("resources") or ()
    subjects = {each["urn"]: each.get("inputs") or {} for each in resources if each.get("type") == HOST_STATE}
    for resource in resources:
        if resource.get("type") != COMMAND or resource.get("delete") or resource.get("parent") not in subjects:
            continue
        subject, inputs = subjects[resource["parent"]], revealed(resource.get("inputs") or {})
        if "machine" not in subject:
            raise StateError("this state was written by an older release: run `pulumi up` first")
        yield AppliedRole(
            command=resource["urn"].rpartition("::")[2],
            machine=subject["machine"],
            role=subject["role"],
            script=inputs["create"],
            stdin=inputs.get("stdin") or "",
            connection=inputs["connection"],
            probe=inputs.get("delete") or "",
            urn=resource["urn"],
            facts=_told(revealed((resource.get("outputs") or {}).get("stdout"))),
        )


def facts_of(printed: str) -> dict[str, str]:
    """Return the facts in what a role's script printed: one JSON object on a line of its own.

    Other lines are the machine's own: a greeting in `.bashrc`, a profile, a banner. ValueError without such a line.
    """
    for line in reversed(printed.splitlines()):
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                return found
    raise ValueError(f"the role's script printed no facts, but: {printed.strip()[:200] or 'nothing'}")


def _told(printed: str | None) -> dict[str, str]:
    """Return the facts of a role that may have been interrupted before it printed them."""
    with suppress(ValueError):
        return facts_of(printed or "")
    return {}


def revealed(value: Any) -> Any:
    """Return a value of a state without the marks of secrets, at every depth: a secret may hold another."""
    if isinstance(value, list):
        return [revealed(each) for each in value]
    if isinstance(value, dict):
        if value.get(_SECRET[0]) == _SECRET[1]:
            return revealed(json.loads(value["plaintext"]))
        return {key: revealed(each) for key, each in value.items()}
    return value
