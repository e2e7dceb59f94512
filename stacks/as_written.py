"""What is wrong with a stack's file itself: what the engine drops without a word, or hands out as something else."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
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
_DATE: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:$|[Tt\s])")
"""What go-yaml, the engine's, takes for a date or a time (its resolve.go), which is more than PyYAML does."""
_LEADING_ZERO: Final = re.compile(r"[-+]?0+([0-9]+)")

Place = tuple[int | str, ...]


def refuse_as_written(file: Path) -> None:
    """Raise SettingsError for a stack's file that does not say what it seems to; one that does not exist is right."""
    if not file.exists():
        return
    try:
        text = file.read_text()
        held, root = read(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError([Problem(file.name, f"cannot be read as YAML: {error}", "one YAML document")]) from None
    top = {key.value: value for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    used = {id(node) for _, node in _nodes(top.get("config"), ())}
    beside = [key for key, node in top.items() if not used.intersection(id(each) for _, each in _nodes(node, ()))]
    config = top.get("config")
    problems = [*_misplaced(held, beside), *_dates(config), *_octal(config), *_encrypted(held)]
    if problems:
        raise SettingsError(problems)


def _misplaced(held: Mapping[str, Any], beside: Iterable[str]) -> Iterator[Problem]:
    """Find settings beside `config`, and those of a namespace that nothing reads.

    What has an anchor that `config` refers to may be beside it, under any name: Pulumi reads it where it is used.
    """
    for key in beside:
        if key not in TOP:
            yield Problem(
                key,
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


def _dates(config: yaml.Node | None) -> Iterator[Problem]:
    """Find dates without quotes: the engine makes a point in time of them, as 2026-10-01 00:00:00 +0000 UTC."""
    for path, node in _nodes(config, ()):
        if isinstance(node, yaml.ScalarNode) and node.style is None and (found := _DATE.match(node.value)):
            with suppress(ValueError):  # no calendar has it, and the engine leaves it as it is
                date(*map(int, found.groups()))
                yield Problem(
                    _named(path),
                    f"{node.value} is a date to YAML, and would arrive as a date with a time",
                    accepted=f'the same in quotes: "{node.value}"',
                )


def _octal(config: yaml.Node | None) -> Iterator[Problem]:
    """Find numbers that begin with 0: the engine reads 010 as 8, and 08 as 8. Permissions alone are meant so."""
    for path, node in _nodes(config, ()):
        if not isinstance(node, yaml.ScalarNode) or node.style is not None or path[-1:] == ("mode",):
            continue
        if found := _LEADING_ZERO.fullmatch(node.value):
            yield Problem(
                _named(path),
                f"{node.value} is a number to base 8 in YAML where that can be, and would arrive as another one",
                accepted=f'{found[1]}, or in quotes where it is text: "{node.value}"',
            )


def _nodes(node: yaml.Node | None, path: Place) -> Iterator[tuple[Place, yaml.Node]]:
    """Return all nodes with their places, but for the names of settings."""
    if node is not None:
        yield path, node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _nodes(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for at, value in enumerate(node.value):
            yield from _nodes(value, (*path, at))


def _encrypted(held: Mapping[str, Any]) -> Iterator[Problem]:
    """Find encrypted values of settings that are not kept secret.

    The program would write them in plain into the state and onto machines.
    """
    for path in _secure(_config(held), ()):
        namespace, _, setting = str(path[0]).partition(":")
        if namespace == NAMESPACE and not is_secret((setting, *path[1:])):
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
