"""What is wrong with a stack's file itself: what the engine drops without a word, or hands out as something else."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from stacks.file import NAMESPACE, read
from stacks.problems import Problem, SettingsError, is_secret, secret_settings

TOP: Final = frozenset({"config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider"})
"""What a stack's file may have beside one another; the engine ignores anything else (Pulumi's sdk/go/common/workspace,
ProjectStack)."""
NAMESPACES: Final = (NAMESPACE, "pulumi", "kubernetes", "command", "random", "tls")
"""Whose configuration there is: ours, the engine's, and that of the packages in use."""
_DATE: Final = "tag:yaml.org,2002:timestamp"

Place = tuple[int | str, ...]


def refuse_as_written(file: Path) -> None:
    """Raise SettingsError for a stack's file that does not say what it seems to; one that does not exist is right."""
    if not file.exists():
        return
    text = file.read_text()
    problems = [*_misplaced(read(text)), *_dates(yaml.compose(text, Loader=yaml.SafeLoader)), *_encrypted(read(text))]
    if problems:
        raise SettingsError(problems)


def _misplaced(held: Mapping[str, Any]) -> Iterator[Problem]:
    """Find settings beside `config`, and those of a namespace that nothing reads."""
    for key in held:
        if key not in TOP:
            yield Problem(
                str(key),
                "stands beside `config`, where nothing reads it",
                accepted=f"a setting below `config:`, two spaces further in, or one of {', '.join(sorted(TOP))}",
            )
    for key in _config(held):
        namespace, colon, name = str(key).partition(":")
        if not colon or namespace not in NAMESPACES:
            yield Problem(
                str(key),
                f"begins with {namespace!r}, which nothing reads" if colon else "has no namespace",
                accepted=f"{NAMESPACE}:{name or namespace}, or a key of {', '.join(NAMESPACES[1:])}",
            )


def _dates(file: yaml.Node | None) -> Iterator[Problem]:
    """Find dates without quotes: the engine makes a point in time of them, as 2026-10-01 00:00:00 +0000 UTC."""
    for path, node in _scalars(file, ()):
        if path[:1] == ("config",) and node.tag == _DATE:
            yield Problem(
                _named(path[1:]),
                f"{node.value} is a date to YAML, and would arrive as a date with a time",
                accepted=f'the same in quotes: "{node.value}"',
            )


def _scalars(node: yaml.Node | None, path: Place) -> Iterator[tuple[Place, yaml.ScalarNode]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for at, value in enumerate(node.value):
            yield from _scalars(value, (*path, at))
    elif isinstance(node, yaml.ScalarNode):
        yield path, node


def _encrypted(held: Mapping[str, Any]) -> Iterator[Problem]:
    """Find encrypted values of settings that are not kept secret.

    The program would write them in plain into the state and onto machines.
    """
    for path in _secure(_config(held), ()):
        inside = (str(path[0]).removeprefix(f"{NAMESPACE}:"), *path[1:])
        if not is_secret(inside):
            yield Problem(
                _named(path),
                "is encrypted, but this setting is not kept secret: it would be in plain in the state and on machines",
                accepted=f"a plain value here; secrets only in {', '.join(secret_settings())}",
            )


def _secure(value: Any, path: Place) -> Iterator[Place]:
    if isinstance(value, Mapping):
        if set(value) == {"secure"}:
            yield path
            return
        for key, inner in value.items():
            yield from _secure(inner, (*path, str(key)))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _secure(inner, (*path, at))


def _config(held: Mapping[str, Any]) -> Mapping[str, Any]:
    found = held.get("config")
    return found if isinstance(found, Mapping) else {}


def _named(path: Place) -> str:
    return ".".join(map(str, path)).removeprefix(f"{NAMESPACE}:")
