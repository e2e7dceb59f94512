"""Settings to start from in tests: the committed stacks' own, so that what is tested is what is shipped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent.parent


def tree(stack: str) -> dict[str, Any]:
    """Return what `Pulumi.<stack>.yaml` says under henhouse:, as the engine passes it, with a word for each secret."""
    config: Mapping[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key.removeprefix("henhouse:"): _plain(value) for key, value in config.items()}


def changed(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes` laid over it; a value of None removes the setting."""
    merged = dict(base)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = changed(merged[key], value)
        else:
            merged[key] = value
    return {key: merged[key] for key in sorted(merged)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        # The engine's objects are JSON with sorted keys.
        return "decrypted" if set(value) == {"secure"} else {key: _plain(value[key]) for key in sorted(value)}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
