"""Writes docs/hub-parity.md, what each setting of Zero to JupyterHub is here: `python -m stacks.parity`."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stacks.schema import DOCS
from stacks.settings import Site
from stacks.versions import SITE

TABLE: Final = DOCS / "hub-parity.toml"
NAMES: Final = DOCS / "hub-parity-names.txt"
PAGE: Final = DOCS / "hub-parity.md"
KINDS: Final = {
    "same": "the same here",
    "other": "another way here, on purpose",
    "unwanted": "not wanted",
}

HEADER: Final = f"""# Zero to JupyterHub's settings, and ours

Whoever comes from the chart finds here what each setting in its `values.schema.yaml` is in a stack's file; its
version is {SITE["k8s_hub"]}. This page is made of [hub-parity.toml](hub-parity.toml) by `make docs`; a test fails when
a name of that version is missing. A name stands for all that is below it and not named itself.
"""


@dataclass(frozen=True)
class Group:
    """Settings of the chart about which one thing is to be said."""

    kind: str
    """One of `KINDS`."""
    why: str
    """The reason, or for what is the same, what to know."""
    names: Mapping[str, str]
    """By name in the chart, the name here; empty where there is none."""
    renamed: str = ""
    """Why some have another name here."""

    @property
    def other_names(self) -> list[str]:
        """Names here that are not the chart's, nor the chart's below `hub`, nor below a name that a site gives."""
        return [
            ours
            for theirs, ours in self.names.items()
            if ours and ours.replace(".<name>", "") not in (theirs, f"hub.{theirs}")
        ]


def groups() -> list[Group]:
    """Return the table."""
    table = _table()["group"]
    return [Group(each["kind"], each["why"], _names(each["names"]), each.get("renamed", "")) for each in table]


def _names(names: Mapping[str, str] | Sequence[str]) -> Mapping[str, str]:
    return names if isinstance(names, Mapping) else dict.fromkeys(names, "")


def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text())


def blocks() -> list[str]:
    """Return the headings of the chart's file, of which nothing is to be said."""
    return list(_table()["blocks"])


def settings_of_the_chart() -> list[str]:
    """Return the names of the pinned version's settings, without its headings."""
    headings = blocks()
    return [name for name in names_of_the_chart() if name not in headings]


def pinned_version() -> str:
    """Return the version of the chart whose names are listed."""
    found = re.search(r"at ([0-9.]+),", NAMES.read_text())
    return found[1] if found else ""


def names_of_the_chart() -> list[str]:
    """Return the names of all settings of the pinned version, headings among them."""
    return [line for line in NAMES.read_text().splitlines() if not line.startswith("#")]


def entry_for(name: str, names: Sequence[str]) -> str | None:
    """Return which of the table's names speaks of a setting: itself, or the nearest above it that is not a block."""
    parts = name.split(".")
    above = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((each for each in above if each in names), None)


def settings_here() -> set[str]:
    """Return the path of every setting of a stack's file."""
    tree = Site.model_json_schema()
    return set(_paths(tree, tree, ""))


def _paths(node: Mapping[str, Any], tree: Mapping[str, Any], path: str) -> Iterator[str]:
    for option in (node, *node.get("anyOf", ()), *node.get("oneOf", ())):
        if "$ref" in option:
            yield from _paths(tree["$defs"][option["$ref"].rsplit("/", 1)[1]], tree, path)
    for name, value in node.get("properties", {}).items():
        yield (inner := f"{path}.{name}" if path else name)
        yield from _paths(value, tree, inner)
    for value in node.get("patternProperties", {}).values():
        yield from _paths(value, tree, f"{path}.<name>")
    if isinstance(node.get("items"), dict):
        yield from _paths(node["items"], tree, path)


def here(name: str, group: Group, entry: str) -> str:
    """Return what a setting of the chart is called here; empty if it is not."""
    ours = group.names[entry]
    return f"{ours}{name.removeprefix(entry)}" if ours else ""


def markdown() -> str:
    """Return the page: the chart's settings in its order of names, each with what it is here."""
    table = {name: group for group in groups() for name in group.names}
    below: dict[str, list[str]] = {name: [] for name in table}
    for name in settings_of_the_chart():
        entry = entry_for(name, list(table))
        if entry is not None and entry != name:
            below[entry].append(name.removeprefix(f"{entry}."))
    rooms = dict.fromkeys(name.partition(".")[0] for name in sorted(table))
    parts = [HEADER, _counts(table)]
    for room in rooms:
        rows = [_row(name, table[name], below[name]) for name in sorted(table) if name.partition(".")[0] == room]
        parts.append("\n".join([f"## {room}", "", "| there | here | |", "| --- | --- | --- |", *rows, ""]))
    omitted = [f"- {each['what']}: {each['why']}." for each in _table()["omitted"]]
    return "\n".join([*parts, "## Omitted on purpose", "", *omitted, ""])


def _counts(table: Mapping[str, Group]) -> str:
    counted = dict.fromkeys(KINDS, 0)
    for name in settings_of_the_chart():
        entry = entry_for(name, list(table))
        if entry is not None:
            counted[table[entry].kind] += 1
    said = ", ".join(f"{count} {KINDS[kind]}" for kind, count in counted.items())
    return f"Of its {len(settings_of_the_chart())} settings are {said}.\n"


def _row(name: str, group: Group, below: Sequence[str]) -> str:
    more = f" and below it {', '.join(f'`{each}`' for each in below)}" if below else ""
    ours = f"`{group.names[name]}`" if group.names[name] else KINDS[group.kind]
    why = f"{group.why} {group.renamed}".strip()
    return f"| `{name}`{more} | {ours} | {why} |"


if __name__ == "__main__":
    PAGE.write_text(markdown())
