"""What an edit of a stack's file, or of the program, changes: to review it without the secrets of the site."""

import argparse
import difflib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from rich.console import Console

from ops.leaves import leaves
from ops.plans import Plan, PlanError, plan
from ops.tables import console, table

LINES: Final = 12
"""So many changed lines of a long text are shown."""


class Exit(IntEnum):
    """How the command ends."""

    SHOWN = 0
    FAILED = 1


@dataclass(frozen=True)
class Change:
    """A resource that the edit makes, changes or removes."""

    change: str
    type: str
    name: str
    details: tuple[str, ...] = ()
    """What of its inputs changes, one line each; a secret is [secret] on both sides."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Put the command on the command line."""
    command = commands.add_parser(
        "review",
        help="show which resources an edit of the working tree changes, without the secrets of the stack",
        description="Compares the plan of the working tree with that of another commit, both from an empty state. "
        "Opens no connection. Ends with 0 when the plans could be made, 1 when the edit breaks the program.",
    )
    command.add_argument("--stack", required=True, help="the stack")
    command.add_argument("--base", required=True, help="the commit to compare with, such as origin/main")
    shape = command.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print data instead of a table")
    shape.add_argument("--markdown", action="store_true", help="print a comment for a merge request")
    return command


def run(options: argparse.Namespace) -> Exit:
    """Do it, and return the exit status."""
    status = Console(stderr=True)
    try:
        with tempfile.TemporaryDirectory() as directory, status.status(f"previewing {options.stack} twice"):
            before, after = _plans(Path(directory), options.stack, options.base)
    except PlanError as error:
        print(f"```\n{error}\n```" if options.markdown else error, file=sys.stdout if options.markdown else sys.stderr)
        return Exit.FAILED
    found = list(changes(before, after))
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    elif options.markdown:
        print(markdown(options.stack, options.base, found, len(after)))
    else:
        console().print(table(("change", "type", "name", "details"), _cells(found)))
        console().print(summary(found, len(after)))
    return Exit.SHOWN


def changes(before: Plan, after: Plan) -> Iterator[Change]:
    """Yield what differs between two plans, in the order of the types and names."""
    for urn in sorted({*before, *after}, key=_kind_and_name):
        kind, name = _kind_and_name(urn)
        if urn not in before:
            yield Change("create", kind, name)
        elif urn not in after:
            yield Change("delete", kind, name)
        elif details := tuple(_details(before[urn], after[urn])):
            yield Change("update", kind, name, details)


def summary(found: Sequence[Change], total: int) -> str:
    """Return the counts as a sentence."""
    counts = Counter(each.change for each in found)
    said = ", ".join(f"{counts[each]} to {each}" for each in ("create", "update", "delete") if counts[each])
    return f"{said or 'nothing changes'}; {total} resources in all."


def markdown(stack: str, base: str, found: Sequence[Change], total: int) -> str:
    """Return the comment."""
    lines = [f"### `{stack}`: {summary(found, total)}", ""]
    if found:
        lines += ["| change | resource | details |", "| --- | --- | --- |"]
        lines += [f"| {each.change} | `{each.type}` {each.name} | {_in_a_cell(each.details)} |" for each in found]
        lines.append("")
    lines.append(
        f"Compared with `{base}`, both from an empty state: what a site's own state makes of it is seen in "
        "`pulumi preview`. Encrypted settings were not read, and what depends on an answer of a machine or of the "
        "cluster is unknown in both plans: changes of either are not shown."
    )
    return "\n".join(lines)


def _plans(scratch: Path, stack: str, base: str) -> tuple[Plan, Plan]:
    other = scratch / "tree"
    other.mkdir()
    archived = subprocess.run(["git", "archive", "--format=tar", base], capture_output=True, check=False)
    if archived.returncode != 0:
        raise PlanError(f"--base {base}: {archived.stderr.decode(errors='replace').strip()}")
    subprocess.run(["tar", "--extract", "--directory", str(other)], input=archived.stdout, check=True)
    for name in ("before", "after"):
        (scratch / name).mkdir()
    return plan(other, stack, scratch / "before"), plan(Path.cwd(), stack, scratch / "after")


def _kind_and_name(urn: str) -> tuple[str, str]:
    *_, types, name = urn.split("::")
    return types.rpartition("$")[2], name


def _details(before: object, after: object) -> Iterator[str]:
    for path, old, new in leaves(before, after):
        if "\n" in old or "\n" in new:
            lines = [
                line
                for line in difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
                if not line.startswith(("---", "+++", "@@"))
            ]
            yield from (f"{path}: {line}" for line in lines[:LINES])
            if len(lines) > LINES:
                yield f"{path}: and {len(lines) - LINES} more lines"
        else:
            yield f"{path}: {old} → {new}"


def _cells(found: Sequence[Change]) -> list[list[str]]:
    return [[each.change, each.type, each.name, "\n".join(each.details)] for each in found]


def _in_a_cell(details: Sequence[str]) -> str:
    return "<br>".join(f"`{each.replace('`', chr(39)).replace('|', '&#124;')}`" for each in details)
