"""Looks at a stack's Kubernetes objects: they have a Read, so the engine itself compares them, by a previewed refresh.

Only what the program said about an object is compared. What the API server, controllers and people add beside it is
theirs.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from components.host.probe import Difference, Unseen

HOST: Final = "cluster"
_TYPES: Final = "kubernetes:"
_REFRESH_SECONDS: Final = 300


def objects(state: Mapping[str, Any]) -> list[str]:
    """URNs of the Kubernetes objects in an exported state."""
    resources = (state.get("deployment") or {}).get("resources") or ()
    return [each["urn"] for each in resources if each["type"].startswith(_TYPES) and each.get("id")]


async def look(stack: str | None, urns: Sequence[str]) -> list[Difference | Unseen]:
    """Compares these objects with the cluster's. What keeps it from looking is part of the answer."""
    if not urns:
        return []
    command = ["pulumi", "refresh", "--preview-only", "--json", "--non-interactive"]
    command += ["--stack", stack] if stack else []
    for urn in urns:
        command += ["--target", urn]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), _REFRESH_SECONDS)
    except TimeoutError:
        process.terminate()
        await process.wait()
        return [Unseen(HOST, "kubernetes", f"the API server did not answer within {_REFRESH_SECONDS} s")]
    try:
        answer = json.loads(out)
    except ValueError:
        answer = {}
    if process.returncode != 0:
        return [Unseen(HOST, "kubernetes", _reason(answer, errors.decode(errors="replace")))]
    return list(differences(answer))


def differences(answer: Mapping[str, Any]) -> Iterator[Difference]:
    """What differs, by the JSON that `pulumi refresh --preview-only` prints."""
    for step in answer.get("steps", ()):
        old, new = step.get("oldState") or {}, step.get("newState")
        if not str(old.get("type", "")).startswith(_TYPES):
            continue
        kind, name = old["type"].rpartition(":")[2], _name(old)
        if new is None:
            yield Difference(HOST, kind, name, "it exists", "no such object")
            continue
        before, after = old.get("inputs") or {}, new.get("inputs") or {}
        yield from (
            Difference(HOST, kind, f"{name} {path}", expected, found)
            for path, expected, found in _leaves(before, after)
        )
        if before == after and kind == "Secret" and any(path.startswith("data") for path in step["detailedDiff"] or ()):
            yield Difference(HOST, kind, name, "the secret", "something else")


def _name(state: Mapping[str, Any]) -> str:
    metadata = (state.get("outputs") or {}).get("metadata") or {}
    if not isinstance(metadata, Mapping) or "name" not in metadata:
        return str(state["urn"]).rpartition("::")[2]
    return "/".join(filter(None, [metadata.get("namespace"), metadata["name"]]))


def _leaves(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Every value that differs: its path, what it was, what it is."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _leaves(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for at, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _leaves(before, after, f"{path}[{at}]")
    else:
        yield path, _shown(old), _shown(new)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _reason(answer: Mapping[str, Any], errors: str) -> str:
    said = [str(each.get("message", "")).strip() for each in answer.get("diagnostics", ())]
    return "; ".join(filter(None, [*said, errors.strip()])) or "the refresh failed without a word"
