"""Compares a stack's Kubernetes objects with the cluster's: they have a Read, so the engine previews a refresh of them.

Only what the program said about an object is compared. What the API server, controllers and people add beside it is
theirs.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from converge.engine import EngineError
from converge.report import Difference, NotChecked
from converge.stack import StackClient
from ops.leaves import leaves

HOST: Final = "cluster"
_TYPES: Final = "kubernetes:"
_REFRESH_SECONDS: Final = 300.0


def objects(state: Mapping[str, Any]) -> list[str]:
    """URNs of the Kubernetes objects in an exported state."""
    resources = (state.get("deployment") or {}).get("resources") or ()
    return [each["urn"] for each in resources if each["type"].startswith(_TYPES) and each.get("id")]


async def look(stack: StackClient, urns: Sequence[str]) -> list[Difference | NotChecked]:
    """Compare these objects with the cluster's. What keeps it from looking is part of the answer."""
    if not urns:
        return []
    try:
        answer = await asyncio.to_thread(stack.preview_refresh, urns, _REFRESH_SECONDS)
    except EngineError as error:
        return [NotChecked(HOST, "kubernetes", str(error))]
    return list(differences(answer))


def differences(answer: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what differs, by the JSON that `pulumi refresh --preview-only` prints."""
    for step in answer.get("steps", ()):
        old, new = step.get("oldState") or {}, step.get("newState")
        if not str(old.get("type", "")).startswith(_TYPES):
            continue
        kind, name, urn = old["type"].rpartition(":")[2], _name(old), str(step["urn"])
        if new is None:
            yield Difference(HOST, kind, name, "it exists", "no such object", urn)
            continue
        before, after = old.get("inputs") or {}, new.get("inputs") or {}
        yield from (
            Difference(HOST, kind, f"{name} {path}", expected, found, urn)
            for path, expected, found in leaves(before, after)
        )
        if before == after and kind == "Secret" and any(path.startswith("data") for path in step["detailedDiff"] or ()):
            yield Difference(HOST, kind, name, "the secret", "something else", urn)


def _name(state: Mapping[str, Any]) -> str:
    metadata = (state.get("outputs") or {}).get("metadata") or {}
    if not isinstance(metadata, Mapping) or "name" not in metadata:
        return str(state["urn"]).rpartition("::")[2]
    return "/".join(filter(None, [metadata.get("namespace"), metadata["name"]]))
