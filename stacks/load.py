"""Reads a stack's settings: everything that is wrong with them is said at once, before anything is touched."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import ValidationError

from stacks.as_written import refuse_as_written
from stacks.checks import problems_across
from stacks.file import NAMESPACE, settings_file
from stacks.passphrase import PassphraseError, refuse_published
from stacks.problems import SettingsError, problems_of
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
        refuse_as_written(settings_file(stack))
        site = parse_settings(tree_of({**get_config_env(), **CONFIG.get()}), settings_file(stack).parent)
        refuse_published(stack, lab=site.lab, preview=pulumi.runtime.is_dry_run())
    except (SettingsError, PassphraseError) as error:
        raise pulumi.RunError(str(error)) from None
    return site


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
