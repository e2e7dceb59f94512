"""What is wrong with a stack's settings, said so that whoever edits them can put it right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stacks.models import Site


@dataclass(frozen=True)
class Problem:
    """One mistake: where, what is wrong with what was given, and what to write instead."""

    path: str
    """The setting, for example hosts.chick7.address."""
    says: str
    """What was given and why it cannot stand."""
    accepted: str = ""
    """What is accepted."""
    write: object = None
    """An example value, shown as the YAML to write at `path`."""

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.says}"]
        if self.accepted:
            lines.append(f"    accepted: {self.accepted}")
        if self.write is not None:
            lines += ["    write, in the stack's file:", *(f"      {line}" for line in _as_yaml(self.path, self.write))]
        return "\n".join(lines)


class SettingsError(Exception):
    """A stack's settings cannot be used. Nothing has been touched."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} mistake{'s' if len(self.problems) > 1 else ''}"
        super().__init__(
            f"{count} in the settings of this stack\n" + "\n".join(f"  {problem}" for problem in self.problems)
        )


def problems_of(error: ValidationError) -> list[Problem]:
    """Pydantic's findings as problems. A value that may be a secret is never repeated."""
    return [_problem(detail) for detail in error.errors(include_url=False)]


def _problem(detail: ErrorDetails) -> Problem:
    path = ".".join(str(part) for part in detail["loc"])
    match detail["type"]:
        case "missing":
            return Problem(path, "is required and not given")
        case "extra_forbidden":
            return Problem(path, "is not a setting", accepted=_siblings(detail["loc"]))
        case _:
            shown = "" if _is_secret(detail["loc"]) else f"{detail['input']!r}: "
            return Problem(path, f"{shown}{_lower(detail['msg'])}")


def _siblings(where: Iterable[int | str]) -> str:
    """The settings that do exist where an unknown one was given, from the schema."""
    fields: Mapping[str, Any] = Site.model_json_schema()
    definitions = fields["$defs"]
    node: Mapping[str, Any] = fields
    *parents, _ = where
    for part in parents:
        node = node.get("properties", {}).get(part) or node.get("additionalProperties") or node.get("items") or {}
        reference = node.get("$ref") or next((o["$ref"] for o in node.get("anyOf", []) if "$ref" in o), None)
        if reference:
            node = definitions[reference.rsplit("/", 1)[1]]
    return ", ".join(sorted(node.get("properties", {}))) or "docs/settings.md lists every setting"


def _is_secret(where: Iterable[int | str]) -> bool:
    return any(str(part).endswith(("private_key", "password", "token", "secret")) for part in where)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _as_yaml(path: str, value: object) -> list[str]:
    first, *rest = path.split(".")
    tree: object = value
    for part in reversed(rest):
        tree = [tree] if part.isdigit() else {part: tree}
    return str(yaml.safe_dump({f"henhouse:{first}": tree}, sort_keys=False, default_flow_style=None)).splitlines()
