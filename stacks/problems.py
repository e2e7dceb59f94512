"""What is wrong with a stack's settings, said so that whoever edits them can put it right."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stacks.accepted import accepted, shown
from stacks.settings import Site
from stacks.settings.types import SPELLED


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
    found = error.errors(include_url=False)
    inside = {detail["loc"][:length] for detail in found for length in range(len(detail["loc"]))}
    # A list whose items are wrong is also too short without them.
    return [_problem(detail) for detail in found if detail["loc"] not in inside]


def _problem(detail: ErrorDetails) -> Problem:
    where = _as_written(detail["loc"])
    if where[-1:] == (_NAME,):
        where = where[:-1]
    path = _ASSIGNED.sub(r"\1***", _masked(".".join(str(part) for part in where)))
    match detail["type"]:
        case "missing":
            return Problem(path, "is required and not given")
        case "extra_forbidden":
            return Problem(path, "is not a setting", accepted=_siblings(detail["loc"]))
        case "union_tag_not_found":
            return Problem(f"{path}.type", "is required and not given", accepted=", ".join(_schema_at(where)[_TYPES]))
        case "union_tag_invalid":
            types, tag = tuple(_schema_at(where)[_TYPES]), str(detail["ctx"]["tag"])
            # Beside secrets, only a word that is a misspelt type is sure to be none of them.
            named = not holds_secret(where) or get_close_matches(tag.lower(), types, cutoff=0.7)
            return Problem(path, f"{repr(tag) if named else 'what is given'} is none of its types", ", ".join(types))
        case "value_error":
            said = detail["msg"].removeprefix("Value error, ")
            whole = isinstance(detail["input"], Mapping | Sequence) and not isinstance(detail["input"], str)
            return Problem(path, said if whole or holds_secret(where) else f"{_given(detail, where)}: {said}")
        case kind:
            given = "what is given" if holds_secret(where) else f"{_given(detail, where)}:"
            why = _WHY.get(kind, "cannot be used here")
            return Problem(
                path, f"{given} {why}", accepted=_accepted(detail, [each for each in detail["loc"] if each != _NAME])
            )


_WHY: Final = {
    "too_short": "is too short",
    "too_long": "is too long",
    "string_too_short": "is too short",
    "string_too_long": "is too long",
    "greater_than": "is too little",
    "greater_than_equal": "is too little",
    "less_than": "is too much",
    "less_than_equal": "is too much",
}
"""By pydantic's type of the mistake; its own words are about Python."""


def _accepted(detail: ErrorDetails, where: Sequence[int | str]) -> str:
    """Return what is accepted there: of a name, what names are; of a union, its types and the words for them."""
    if pattern := detail.get("ctx", {}).get("pattern"):
        return SPELLED[pattern]
    node = _schema_at(where)
    if types := node.get(_TYPES):
        return f"settings with a type: {', '.join(types)}"
    quotes = detail["type"] == "string_type" and isinstance(detail["input"], int | float)
    return accepted(node, _resolved) + (", in quotes" if quotes else "")


def _as_written(where: Iterable[int | str]) -> tuple[int | str, ...]:
    """Return a path as the stack's file has it: pydantic names the type of a union, too."""
    parts: list[int | str] = []
    for part in where:
        if part not in _schema_at(parts).get(_TYPES, ()):
            parts.append(part)
    return tuple(parts)


def _siblings(where: Iterable[int | str]) -> str:
    """Return the settings that exist where an unknown one was given, from the schema."""
    *parents, _ = where
    node = _schema_at(parents)
    return ", ".join(sorted(node.get("properties", {}))) or "docs/settings.md lists every setting"


def is_secret(where: Iterable[int | str]) -> bool:
    """Return whether the setting at this path, or one around it, is kept secret."""
    parts = tuple(where)
    return any(_kept_secret(_schema_at(parts[:length])) for length in range(1, len(parts) + 1))


def holds_secret(where: Iterable[int | str]) -> bool:
    """Return whether a value at this path may hold a secret: it is kept secret, or has such a setting below it."""
    parts = tuple(where)
    return is_secret(parts) or any(_secrets_below(_schema_at(parts), ""))


def secret_settings() -> list[str]:
    """Return the paths of all settings that are kept secret."""
    return sorted(_secrets_below(_schema(), ""))


def _secrets_below(node: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, value in node.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        if _kept_secret(value):
            yield inner
        else:
            yield from _secrets_below(_resolved(value), inner)
    for value in node.get("patternProperties", {}).values():
        if _kept_secret(value):
            yield f"{path}.<name>"
        else:
            yield from _secrets_below(_resolved(value), f"{path}.<name>")


def _kept_secret(node: Mapping[str, Any]) -> bool:
    return any(each.get("writeOnly") for each in (node, *node.get("anyOf", ())))


@cache
def _schema() -> Mapping[str, Any]:
    """Return the schema of all settings; pydantic takes a twentieth of a second for it each time."""
    return Site.model_json_schema()


def _schema_at(where: Sequence[int | str]) -> Mapping[str, Any]:
    node: Mapping[str, Any] = _schema()
    for part in where:
        if part in node.get(_TYPES, ()):
            node = node[_TYPES][part]
            continue
        node = _resolved(next(_inside(node, part), {}))
    return node


def _inside(node: Mapping[str, Any], part: int | str) -> Iterator[Mapping[str, Any]]:
    """Find what is at a name or a number, also where there may be something else in place of the whole."""
    for each in (node, *node.get("anyOf", ())):
        patterns = tuple(each.get("patternProperties", {}).values())
        for found in (
            each.get("properties", {}).get(part),
            each.get("additionalProperties"),
            each.get("items"),
            *patterns,
        ):
            if isinstance(found, Mapping) and found:
                yield found


_NAME = "[key]"
"""What pydantic puts behind a name that it refuses."""
_TYPES = "types"
"""What `_resolved` calls the models of a union, by the names of their types."""


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a node with the models that it refers to in its place: of a union, the settings of all together."""
    options = (node, *node.get("anyOf", ()), *node.get("oneOf", ()))
    definitions = _schema().get("$defs", {})
    models = [definitions[each["$ref"].rsplit("/", 1)[1]] for each in options if "$ref" in each]
    if not models:
        return node
    properties = {name: value for model in models for name, value in model.get("properties", {}).items()}
    types = {model["properties"]["type"]["const"]: model for model in models} if len(models) > 1 else {}
    return {**models[0], "properties": properties, _TYPES: types}


_ASSIGNED: Final = re.compile(r"(=|: )\S.*", re.DOTALL)
"""In a name, what was meant as its value: `TOKEN=x:` is the name of a variable with nothing in it."""
_TOLD: Final = re.compile(r"((?:password|passwd|secret|token)\w*['\"]?[ =:]+)[^\s'\"]+", re.IGNORECASE)
_NO_PORT: Final = re.compile(r"(://(?:\[[^\]]*\]|[^/@:\s\[]*)):(?![0-9]*(?:[/?#'\",\s]|$))[^/\s'\"]+")


def _given(detail: ErrorDetails, where: Sequence[int | str]) -> str:
    """Return what was given, without what may be a password."""
    text = _masked(shown(detail["input"]))
    return re.sub(":.*", ":***'", text, flags=re.DOTALL) if where and where[-1] in USERS else text


USERS: Final = ("user", "username")
"""Settings beside a password, of which some are written as user:password elsewhere."""


def _masked(text: str) -> str:
    """Return the text without what may be a password: what is before the last @, the query of an address, a key, what
    stands behind a colon that begins no port, or behind a word for it."""
    if "PRIVATE KEY" in text:
        return "***"
    if "://" in text:
        text = re.sub(r"\?[^\s'\"]*", "?***", re.sub("://.*@", "://***@", text, flags=re.DOTALL))
    elif "@sha256:" not in text:  # an image's digest is neither a secret nor an address
        text = re.sub(":.*@", ":***@", text, flags=re.DOTALL)
    return _TOLD.sub(r"\1***", _NO_PORT.sub(r"\1:***", text))


def _as_yaml(path: str, value: object) -> list[str]:
    first, *rest = path.split(".")
    tree: object = value
    for part in reversed(rest):
        tree = [tree] if part.isdigit() else {part: tree}
    return str(yaml.safe_dump({f"henhouse:{first}": tree}, sort_keys=False, default_flow_style=None)).splitlines()
