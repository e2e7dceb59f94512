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


class _Loader(yaml.SafeLoader):
    """YAML in which a date without quotes is a text: no calendar has some of them, and PyYAML fails at those."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text: str) -> Mapping[str, Any]:
    """Return what the text of a stack's file holds; raise `yaml.YAMLError` for what is not YAML."""
    found = yaml.load(text, Loader=_Loader)
    return found if isinstance(found, Mapping) else {}


def written(stack: str) -> Mapping[str, Any]:
    """Return what a stack's file holds, secrets encrypted.

    It is empty for a file that is missing or no YAML: the engine says what is wrong with it.
    """
    try:
        return read(settings_file(stack).read_text())
    except (OSError, yaml.YAMLError):
        return {}


def setting(stack: str, name: str) -> Any:
    """Return one of henhouse's settings as it is written, None where it is not."""
    config = written(stack).get("config")
    return config.get(f"{NAMESPACE}:{name}") if isinstance(config, Mapping) else None
