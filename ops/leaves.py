"""What differs between two trees of data, value by value."""

import json
from collections.abc import Iterator
from typing import Any


def leaves(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield every value that differs: its path, what it was, what it is."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from leaves(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for at, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from leaves(before, after, f"{path}[{at}]")
    else:
        yield path, _shown(old), _shown(new)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
