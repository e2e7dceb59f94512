"""What a repair may touch: what has drifted, what follows from it, and nothing that was edited.

The engine's `--target` applies the program as it is now to the resources named. Where the program or the settings say
something new about one of these, a repair would apply an edit that was not asked for: such a resource is held back.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from converge.engine import EngineError
from converge.findings import VARIABLE
from converge.stack import StackClient
from converge.state import COMMAND
from ops import cluster
from ops.sight import Sight

_ROUNDS: Final = 3
"""So many times what follows from a repair may have followers of its own."""
_PROVIDERS: Final = "pulumi:providers:"
_UNSEEN_BY_PROBE: Final = {VARIABLE: "0"}

Operations = Mapping[str, str]
"""What an update would do, by URN: create, update, replace or delete."""


@dataclass(frozen=True)
class Plan:
    """What is repaired, and what is not."""

    machines: tuple[str, ...]
    """Commands of roles to run again, with those that need a fact of one of them."""
    objects: tuple[str, ...]
    """Objects of the cluster to put right."""
    held_back: Mapping[str, str]
    """Drifted resources that are not repaired, and why."""
    edits: Operations
    """What differs because the program or the settings changed."""
    obstacle: str = ""
    """Why the whole program cannot be previewed; then `edits` are only those of what would be repaired."""

    @property
    def urns(self) -> frozenset[str]:
        """What the engine is given to repair."""
        return frozenset((*self.machines, *self.objects))


@dataclass(frozen=True)
class Left:
    """A resource that a repair could not put right."""

    urn: str
    reason: str


def plan(stack: StackClient, sight: Sight) -> Plan:
    """Return what to do about what was seen. EngineError when the program cannot be previewed."""
    drifted = tuple(dict.fromkeys(each.urn for each in sight.differences))
    needed = {urn: (urn, *followers(sight.state, urn)) for urn in drifted}
    wanted = tuple(dict.fromkeys(urn for urns in needed.values() for urn in urns))
    obstacle = ""
    try:
        edits = stack.preview((), _UNSEEN_BY_PROBE)
    except EngineError as error:  # such as an object with another owner by now: the others are repaired
        obstacle, edits = str(error), stack.preview(wanted, _UNSEEN_BY_PROBE)
    touched = _touched(stack, wanted, edits)
    held_back = {urn: why for urn, urns in needed.items() if (why := _reason(urn, urns, touched))}
    dead = unreachable(sight)
    kept = tuple(
        dict.fromkeys(
            urn for first, urns in needed.items() if first not in held_back for urn in urns if urn not in dead
        )
    )
    of_cluster = frozenset(sight.objects)
    return Plan(
        tuple(urn for urn in kept if urn not in of_cluster),
        tuple(urn for urn in kept if urn in of_cluster),
        held_back,
        edits,
        obstacle,
    )


def followers(state: Mapping[str, Any], urn: str) -> tuple[str, ...]:
    """Return the commands that are given a fact of this one's, directly or not: they have to come right after it."""
    found = [urn]
    for resource in _resources(state):  # a state has what a resource needs before the resource
        if resource["type"] == COMMAND and resource["urn"] not in found and _given(resource) & set(found):
            found.append(resource["urn"])
    return tuple(found[1:])


def _given(resource: Mapping[str, Any]) -> set[str]:
    """Return the resources that give this one a value."""
    return {each for urns in (resource.get("propertyDependencies") or {}).values() for each in urns or ()}


def _resources(state: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    found: Iterable[Mapping[str, Any]] = (state.get("deployment") or {}).get("resources") or ()
    return found


def carry_out(stack: StackClient, made: Plan, sight: Sight, on_line: Callable[[str], None]) -> tuple[Left, ...]:
    """Do it, and what follows from it, and return what is left. EngineError when the program fails."""
    said: list[str] = []

    def heard(line: str) -> None:
        said.append(line)
        on_line(line)

    failed = 0
    if made.machines:
        failed |= stack.update(made.machines, heard, {VARIABLE: "1"}, refresh=False)
    if made.objects:
        failed |= stack.update(made.objects, heard, _UNSEEN_BY_PROBE, refresh=True)
    others = (each for each in _resources(sight.state) if each["urn"] not in made.urns)
    if not failed and not any(_given(each) & made.urns for each in others):
        return ()
    try:
        return _follow(stack, made, sight, heard)
    except EngineError as error:
        return tuple(Left(urn, str(error)) for urn in sorted(failures(said, made.urns) or made.urns))


def failures(said: Iterable[str], urns: Iterable[str]) -> frozenset[str]:
    """Return those of the resources of which the engine printed that it failed."""
    named = {match.groups() for line in said if (match := _FAILED.search(line))}
    return frozenset(urn for urn in urns if (urn.split("::")[2].rpartition("$")[2], urn.rpartition("::")[2]) in named)


_FAILED: Final = re.compile(r"(\S+:\S+) (\S+) \*\*[^*]*failed\*\*")


def _follow(stack: StackClient, made: Plan, sight: Sight, on_line: Callable[[str], None]) -> tuple[Left, ...]:
    """Update what differs since the repair, until nothing more does; return what is left."""
    kept_out = {*made.urns, *unreachable(sight)}
    for _ in range(_ROUNDS):
        after = stack.preview((), _UNSEEN_BY_PROBE)
        new = {urn: operation for urn, operation in after.items() if urn not in made.edits}
        followed = [urn for urn, each in new.items() if each in ("create", "update") and urn not in kept_out]
        if not followed:
            break
        stack.update(followed, on_line, _UNSEEN_BY_PROBE, refresh=False)
        kept_out.update(followed)  # what fails once is left
    return tuple(Left(urn, _LEFT[operation]) for urn, operation in new.items())


_LEFT: Final = {
    "create": "it could not be made",
    "update": "it could not be updated",
    "replace": "it would have to be replaced, which a repair does not do; `pulumi preview` shows why",
    "delete": "it would have to be deleted, which a repair does not do; `pulumi preview` shows why",
}


def unreachable(sight: Sight) -> frozenset[str]:
    """Return the commands of machines that do not answer."""
    dead = {each.machine for each in sight.unseen if each.machine != cluster.HOST}
    return frozenset(role.urn for role in sight.roles if role.machine in dead)


def _touched(stack: StackClient, wanted: Iterable[str], edits: Operations) -> Operations:
    """Return the edits that a repair of these resources would apply with it."""
    both = {urn: edits[urn] for urn in wanted if urn in edits}
    replaced = {urn: each for urn, each in edits.items() if _PROVIDERS in urn and each == "replace"}
    if not both:
        return replaced
    try:
        # Alone, each is compared with what the others are now, and not with what edits would make of them.
        alone = stack.preview(tuple(both), _UNSEEN_BY_PROBE)
    except EngineError:  # one needs something that only the edit makes
        return {**both, **replaced}
    return {**{urn: alone[urn] for urn in both if urn in alone}, **replaced}


def _reason(urn: str, urns: Iterable[str], touched: Operations) -> str:
    """Return why a resource is held back; empty if it is not."""
    if urn in touched:
        return "the program or the settings changed it too"
    if edited := [each.rpartition("::")[2] for each in urns if each in touched]:
        return f"the program or the settings changed what follows from it: {', '.join(edited)}"
    if any(_PROVIDERS in each for each in touched):  # the engine updates providers whatever the targets are
        return "the program or the settings changed how the cluster is reached, which would be applied with it"
    return ""
