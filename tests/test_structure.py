"""Arrows between rooms point one way. The counts are printed: `pytest -s tests/test_structure.py`."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.stacks.sites import ROOT

MAY_IMPORT: Final[dict[str, tuple[str, ...]]] = {
    "programs": (),
    "stacks": ("programs",),
    "components.contracts": ("stacks.settings",),
    "components.kube": (),
    "converge": ("components.contracts", "stacks.settings", "programs"),
    "components": ("components.contracts", "components.kube", "converge", "stacks", "programs"),
    "ops": ("converge", "components.contracts", "stacks", "programs"),
    "lab": (),
    "engine": ("lab",),
    "quickstart": ("lab", "engine", "ops"),
}
"""What a room may import besides itself. A folder of a wing of `components` is a room of its own."""
ROOMS: Final = tuple(dict.fromkeys(room.partition(".")[0] for room in MAY_IMPORT))
WITHOUT_WINGS: Final = ("components.contracts", "components.kube", "components.machines")
"""Folders of `components` that are rooms themselves."""


def imports(file: Path) -> Iterator[str]:
    """The modules that a file imports by name."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(module: str) -> str:
    """The room that a module is in: `converge`, `components.apps.hub`, `components.contracts`."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "components" else parts[0]


def rule_of(room: str) -> tuple[str, ...]:
    return MAY_IMPORT[room if room in MAY_IMPORT else room.partition(".")[0]]


def arrows() -> Counter[tuple[str, str, str]]:
    """From room, to module, in file."""
    found: Counter[tuple[str, str, str]] = Counter()
    for top in ROOMS:
        for file in (ROOT / top).rglob("*.py"):
            here = room_of(".".join(file.relative_to(ROOT).with_suffix("").parts))
            for module in imports(file):
                if module.split(".")[0] in ROOMS and room_of(module) != here:
                    found[here, module, str(file.relative_to(ROOT))] += 1
    return found


def test_no_room_imports_what_it_may_not() -> None:
    wrong = [
        f"{file}: {module}"
        for here, module, file in arrows()
        if not any(f"{module}.".startswith(f"{allowed}.") for allowed in rule_of(here))
    ]
    assert not wrong


def test_rooms_are_without_a_circle(capsys: pytest.CaptureFixture[str]) -> None:
    edges = Counter((here, room_of(module)) for here, module, _ in arrows())
    with capsys.disabled():
        print(f"\n{len(edges)} arrows between rooms, {sum(edges.values())} imports")
    reached: dict[str, set[str]] = {}
    for here, there in edges:
        reached.setdefault(here, set()).add(there)

    def below(room: str, seen: frozenset[str]) -> None:
        assert room not in seen, f"a circle: {' → '.join([*seen, room])}"
        for each in reached.get(room, ()):
            below(each, seen | {room})

    for room in reached:
        below(room, frozenset())
