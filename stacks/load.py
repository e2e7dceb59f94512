"""Reads a stack's settings: everything that is wrong with them is said at once, before anything is touched."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import ValidationError

from stacks.checks import problems_across
from stacks.file import NAMESPACE, settings_file
from stacks.passphrase import PassphraseError, refuse_published
from stacks.problems import Problem, SettingsError, is_secret, problems_of, secret_settings
from stacks.settings import Site
from stacks.settings.files import DIRECTORY


def parse_settings(tree: Mapping[str, Any], directory: Path = Path()) -> Site:
    """Return the settings in `tree`, which has them as a stack's file does under `henhouse:`.

    Folders that they name are read from `directory`, where the stack's file lies.

    Raises SettingsError with every mistake found: those of single values, or, when there are none, those across values.
    """
    try:
        site = Site.model_validate(tree, context={DIRECTORY: directory})
    except ValidationError as error:
        raise SettingsError(problems_of(error)) from None
    if problems := problems_across(site):
        raise SettingsError(problems)
    return site


def load_settings() -> Site:
    """Return the settings of the stack that the engine is running.

    Secrets in them are decrypted and kept as SecretStr.
    """
    stack = pulumi.get_stack()
    try:
        refuse_needless_encryption(settings_file(stack))
        site = parse_settings(tree_of({**get_config_env(), **CONFIG.get()}), settings_file(stack).parent)
        refuse_published(stack, lab=site.lab, preview=pulumi.runtime.is_dry_run())
    except (SettingsError, PassphraseError) as error:
        raise pulumi.RunError(str(error)) from None
    return site


def refuse_needless_encryption(file: Path) -> None:
    """Raise SettingsError when a value of the stack's file is encrypted, and its setting is not kept secret.

    The program would write it in plain into the state and onto machines. A stack without a file has nothing to refuse.
    """
    if not file.exists():
        return
    config = (yaml.safe_load(file.read_text()) or {}).get("config") or {}
    found = [path for key, value in config.items() for path in _encrypted(value, (key.removeprefix(f"{NAMESPACE}:"),))]
    problems = [
        Problem(
            ".".join(map(str, path)),
            "is encrypted, but this setting is not kept secret: it would be in plain in the state and on machines",
            accepted=f"a plain value here; secrets only in {', '.join(secret_settings())}",
        )
        for path in found
        if not is_secret(path)
    ]
    if problems:
        raise SettingsError(problems)


def _encrypted(value: Any, path: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    if isinstance(value, Mapping):
        if set(value) == {"secure"}:
            yield path
            return
        for key, inner in value.items():
            yield from _encrypted(inner, (*path, str(key)))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _encrypted(inner, (*path, at))


def tree_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings' tree in a stack's configuration, as the engine hands it out: keys with their namespace."""
    prefix = f"{NAMESPACE}:"
    return {key.removeprefix(prefix): _value(text) for key, text in config.items() if key.startswith(prefix)}


def _value(text: Any) -> Any:
    """Structured values reach the program as JSON, plain ones as they are: a text that only looks like JSON, too."""
    if not isinstance(text, str) or text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
