"""Reads a stack's settings: everything that is wrong with them is said at once, before anything is touched."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import ValidationError

from stacks.checks import problems_across
from stacks.models import Site
from stacks.problems import SettingsError, problems_of

NAMESPACE = "henhouse"
"""The project's name, which the keys of a stack's file begin with."""


def parse_settings(tree: Mapping[str, Any]) -> Site:
    """The settings in `tree`, as a stack's file has them under `henhouse:`.

    Raises SettingsError with every mistake found: those of single values, or, when there are none, those across values.
    """
    try:
        site = Site.model_validate(tree)
    except ValidationError as error:
        raise SettingsError(problems_of(error)) from None
    if problems := problems_across(site):
        raise SettingsError(problems)
    return site


def load_settings() -> Site:
    """The settings of the stack that the engine is running. Secrets in them are decrypted and kept as SecretStr."""
    try:
        return parse_settings(_tree())
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _tree() -> dict[str, Any]:
    given = {**get_config_env(), **CONFIG.get()}
    prefix = f"{NAMESPACE}:"
    return {key.removeprefix(prefix): _value(text) for key, text in given.items() if key.startswith(prefix)}


def _value(text: Any) -> Any:
    """Structured values reach the program as JSON, plain ones as they are."""
    return json.loads(text) if isinstance(text, str) and text[:1] in ("{", "[") else text
