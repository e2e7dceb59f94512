"""A stack's file, as it is written: what needs no passphrase to be read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

NAMESPACE: Final = "henhouse"
"""The project's name, which the keys of a stack's file begin with."""


def settings_file(stack: str) -> Path:
    """Return the file of a stack's settings, in the working directory; the name may have an organization before it."""
    return Path(f"Pulumi.{stack.rpartition('/')[2]}.yaml")


def written(stack: str) -> Mapping[str, Any]:
    """Return what a stack's file holds, secrets encrypted.

    It is empty for a file that is missing or no YAML: the engine says what is wrong with it.
    """
    try:
        found = yaml.safe_load(settings_file(stack).read_text())
    except (OSError, yaml.YAMLError):
        return {}
    return found if isinstance(found, Mapping) else {}


def setting(stack: str, name: str) -> Any:
    """Return one of henhouse's settings as it is written, None where it is not."""
    config = written(stack).get("config")
    return config.get(f"{NAMESPACE}:{name}") if isinstance(config, Mapping) else None
