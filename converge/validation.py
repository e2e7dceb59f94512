"""What a role may not say. All problems of a role are reported at once, before anything is touched."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final

from converge.item import Context, runs
from converge.role import Role

_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
_IDENTIFIER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def validate(role: Role, machine: str, secrets: Collection[str]) -> None:
    """Raise ValueError with all problems of `role`, one on each line, if it has any."""
    found = list(problems(role, secrets))
    if found:
        raise ValueError("\n".join(f"{machine}: {role.name}: {problem}" for problem in found))


def problems(role: Role, secrets: Collection[str] = ()) -> Iterator[str]:
    """Every problem of `role` when it is given the secrets of these names."""
    if not _NAME.fullmatch(role.name):
        yield f"{role.name!r} is not a valid role name: use lower-case letters, digits and hyphens"
    for name in secrets:
        if not _IDENTIFIER.fullmatch(name):
            yield f"{name!r} is not a valid secret name: use letters, digits, hyphens and underscores"
    managed = {path for item in role.items for path in item.paths(role.name)}
    for item in role.items:
        yield from item.problems(Context(role.name, secrets, managed))
    yield from _shared_files(role)
    for name, times in Counter(fact.name for fact in role.facts).items():
        if times > 1:
            yield f"fact {name} is defined {times} times"


def _shared_files(role: Role) -> Iterator[str]:
    """Several items may see to lines of one file; kinds that write one file together must follow each other."""
    whole = Counter(path for item in role.items if not item.shares_file for path in item.paths(role.name))
    shared = {path for item in role.items if item.shares_file for path in item.paths(role.name)}
    for path, times in whole.items():
        if times > 1 or path in shared:
            yield f"{path} is managed by several items that would overwrite each other; merge them"
    places = Counter(kind for kind, _ in runs(role.items) if kind.writes_together)
    for kind, times in places.items():
        if times > 1:
            yield f"items of kind {kind.__name__} stand in {times} places; they are written together, so group them"
