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
    "components.templates": (),
    "components.certificates": ("components.contracts", "components.templates", "converge", "programs"),
    "converge": ("components.contracts", "stacks.settings", "programs"),
    "components": (
        *("components.certificates", "components.contracts", "components.kube", "components.templates"),
        *("converge", "stacks", "programs"),
    ),
    "ops": ("converge", "stacks", "programs"),
    "lab": (),
    "engine": ("lab",),
    "images": ("lab", "ops.tables"),
    "quickstart": ("lab", "engine", "ops", "converge"),
}
"""What a room may import besides itself. A folder of a wing of `components` is a room of its own."""
ROOMS: Final = tuple(dict.fromkeys(room.partition(".")[0] for room in MAY_IMPORT))
WITHOUT_WINGS: Final = (
    *("components.certificates", "components.contracts", "components.kube", "components.machines"),
    "components.templates",
)
"""Folders and files of `components` that are rooms themselves."""


FOR_EVERYONE: Final = frozenset(
    {
        "hosts",
        "further_addresses",
        "gateway",
        "behind_gateway",
        "control_planes",
        "nodes",
        "workers_for",
        "network",
        "domain",
        "lab",
        "jump",
    }
)
"""What every room may read of the settings: the machines and the way to them, the networks and the site's name."""
OWN: Final[dict[str, frozenset[str]]] = {
    "components.machines": frozenset({"access", "mirrors", "time_zone"}),
    "components.storage.pool": frozenset({"storage"}),
    "components.storage.fileserver": frozenset({"storage"}),
    "components.network.gateway": frozenset(),
    "components.network.firewall": frozenset(),
    "components.network.names": frozenset(),
    "components.network.edge": frozenset({"edge"}),
    "components.cluster.calico": frozenset({"cluster"}),
    "components.cluster.namespaces": frozenset(),
    "components.apps.hub": frozenset({"hub"}),
    "components.observability.monitoring": frozenset({"monitoring"}),
}
"""The settings that are each room's own. What it has to know of another's comes as a contract."""


def imports(file: Path) -> Iterator[str]:
    """Yield the modules that a file imports by name."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(module: str) -> str:
    """Return the room that a module is in: `converge`, `components.apps.hub`, `components.contracts`."""
    parts = module.split(".")
    if parts[0] != "components":
        return parts[0]
    return ".".join(parts[:2] if ".".join(parts[:2]) in WITHOUT_WINGS else parts[:3])


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


def settings_read(file: Path) -> Iterator[str]:
    """Yield what a file reads of the whole site's settings, which are called `site` everywhere."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute):
            holder = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
            if holder in ("site", "_site"):
                yield node.attr


def test_room_reads_its_own_settings_the_machines_and_the_networks(capsys: pytest.CaptureFixture[str]) -> None:
    read: dict[str, set[str]] = {room: set() for room in OWN}
    for file in (ROOT / "components").rglob("*.py"):
        room = room_of(".".join(file.relative_to(ROOT).with_suffix("").parts))
        if found := set(settings_read(file)):
            read.setdefault(room, set()).update(found)
    with capsys.disabled():
        print()
        for room, names in sorted(read.items()):
            own = ", ".join(sorted(names - FOR_EVERYONE)) or "none"
            print(f"{room}: own settings {own}; shared {', '.join(sorted(names & FOR_EVERYONE)) or 'none'}")
    assert not {room: names for room, names in read.items() if names - FOR_EVERYONE - OWN.get(room, frozenset())}


def test_site_has_one_name() -> None:
    """Under another name, the test above would not see what is read of it."""
    for file in (ROOT / "components").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.arg) and isinstance(node.annotation, ast.Name) and node.annotation.id == "Site":
                assert node.arg == "site", f"{file}:{node.lineno}: {node.arg}"
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == "site":
                assert [ast.unparse(target) for target in node.targets] == ["self._site"], f"{file}:{node.lineno}"
