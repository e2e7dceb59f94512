"""What differs between two sets of properties, in the engine's words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from engine.standins.protocol import provider_pb2 as pb
from engine.standins.values import SIGNATURE

Change = Literal["add", "delete", "update"]

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][\w$]*")


def step(path: str, key: str) -> str:
    """Return the property path one key further in (sdk/go/common/resource/property_path.go)."""
    if not _PLAIN_KEY.fullmatch(key):
        escaped = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{escaped}"]'
    return f"{path}.{key}" if path else key


def top(path: str) -> str:
    """Return the property that a path begins with."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def within(path: str, outer: str) -> bool:
    """Whether `path` is `outer` or something inside it."""
    return path == outer or path.startswith((outer + ".", outer + "["))


def differences(old: Any, new: Any, path: str = "") -> dict[str, Change]:
    """Property path -> change, one entry for each leaf that differs. What is not known yet differs from what is."""
    if old == new:
        return {}
    if isinstance(old, Mapping) and isinstance(new, Mapping) and not (SIGNATURE in old or SIGNATURE in new):
        pairs = [(step(path, key), old.get(key), new.get(key)) for key in {**old, **new}]
        return _each(pairs)
    if isinstance(old, list) and isinstance(new, list):
        longest = max(len(old), len(new))
        padded = zip(_padded(old, longest), _padded(new, longest), strict=True)
        return _each((f"{path}[{index}]", before, after) for index, (before, after) in enumerate(padded))
    return {path: "update"}


def _padded(items: Sequence[Any], length: int) -> list[Any]:
    return [*items, *[None] * (length - len(items))]


def _each(pairs: Iterable[tuple[str, Any, Any]]) -> dict[str, Change]:
    found: dict[str, Change] = {}
    for path, before, after in pairs:
        if before is None and after is not None:
            found[path] = "add"
        elif before is not None and after is None:
            found[path] = "delete"
        elif before is not None:
            found |= differences(before, after, path)
    return found


@dataclass
class Diff:
    """What changed, which of it needs a new object, and whether the old one has to go first."""

    changes: dict[str, Change]
    replaces: list[str] = field(default_factory=list)
    delete_before_replace: bool = False
    detailed: bool = True
    """Random and TLS name top-level properties only, as bridged providers do."""
    named: bool = True
    """Kubernetes names no top-level properties beside the details: its plans have no `diffReasons`."""

    def ignoring(self, paths: Iterable[str]) -> "Diff":
        """Without what the program's `ignore_changes` covers."""
        ignored = tuple(paths)
        if not ignored:
            return self
        kept: dict[str, Change] = {
            path: change for path, change in self.changes.items() if not any(within(path, each) for each in ignored)
        }
        replaces = [path for path in self.replaces if path in kept]
        return replace(
            self,
            changes=kept,
            replaces=replaces,
            delete_before_replace=self.delete_before_replace and bool(replaces),
        )

    def response(self) -> pb.DiffResponse:
        """Return the diff as the engine's message."""
        answer = pb.DiffResponse(
            changes=pb.DiffResponse.DIFF_SOME if self.changes else pb.DiffResponse.DIFF_NONE,
            diffs=sorted({top(path) for path in self.changes}) if self.named else (),
            deleteBeforeReplace=self.delete_before_replace,
        )
        if not self.detailed:
            answer.replaces.extend(sorted({top(path) for path in self.replaces}))
            return answer
        answer.replaces.extend(self.replaces)
        answer.hasDetailedDiff = True
        for path, change in self.changes.items():
            kind = change.upper() + ("_REPLACE" if path in self.replaces else "")
            answer.detailedDiff[path].kind = pb.PropertyDiff.Kind.Value(kind)
        return answer
