"""Renders a role into the one bash script that checks and applies it.

The script is a header, the shell of `bash/` and `items/` that the role needs, and one call for each item.
`bash SCRIPT check` is read-only and prints one JSON object per line for each difference (`item`, `expected`, `found`;
never a secret's value) and for each lasting fact (`fact`, `digest`: SHA-256 of its value, nothing when it cannot be
told); its exit status is 0 when it could look at everything. `bash SCRIPT apply`, the default, changes what differs and
looks again; it prints its progress to standard error and the role's facts, one JSON object, to standard output.

Secrets come by standard input, one per line: name, blank, base64. A role's own shell reads one with `secret NAME`.
"""

import base64
import shlex
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

from converge.item import Call, runs, shell_text
from converge.items import KINDS, Unit
from converge.role import Fact, Role
from converge.validation import validate

CHECK: Final = "set -- check\n"
"""Put in front of a script that a login shell runs, makes it check instead of apply."""

APPLIED_BEFORE: Final = "applied_before=yes\n"
"""Put in front of a script that the engine runs to update what it has created, where the role wants to know that."""

MAX_BYTES: Final = 120 * 1024
"""A script is one argument of the login shell, and Linux takes 128 KiB in one argument (execve(2), MAX_ARG_STRLEN)."""

_SHARED: Final = ("core", "units", "secrets", "paths", "apt")
_ALWAYS: Final = ("core", "units")


def render(role: Role, machine: str, secrets: Collection[str] = ()) -> str:
    """Return the script of `role` for `machine`, which gets these `secrets` by standard input.

    Raises ValueError with every problem of the role, or when the script is too long to be run.
    """
    validate(role, machine, secrets)
    numbers = count(1)
    calls = [call for kind, run in runs(role.items) for call in kind.calls(run, role.name, numbers)]
    facts = [_fact(fact, f"fact_{at}") for at, fact in enumerate(role.facts, start=1)]
    functions = [function for call in (*calls, *facts) for function in call.functions]
    script = "\n".join(
        [
            _header(role, machine),
            *_shell(role, {call.function for call in (*calls, *facts)}, secrets),
            *(f"{name}() {{\n{body.strip()}\n}}\n" for name, body in functions),
            _list("items", map(str, calls)),
            _list("facts", ["found_facts=", *map(str, facts)]),
            "main",
            "",
        ]
    )
    if len(script.encode()) > MAX_BYTES:
        raise ValueError(
            f"{machine}: {role.name}: the script is {len(script.encode())} bytes; the limit is {MAX_BYTES}: "
            "split the role, or let a Script fetch the large file and check its digest"
        )
    return script


def _fact(fact: Fact, function: str) -> Call:
    lasts = "lasting" if fact.lasting else "passing"
    return Call("fact", (fact.name, function, lasts), ((function, fact.command),))


def standard_input(secrets: Mapping[str, str]) -> str:
    """Return what a script with secrets reads."""
    return "".join(f"{name} {base64.b64encode(value.encode()).decode()}\n" for name, value in sorted(secrets.items()))


def _shell(role: Role, called: Collection[str], secrets: Collection[str]) -> Iterator[str]:
    """Yield the shell files that the calls need, in a fixed order. A secret file needs the shell of a file too."""
    needed = {*_ALWAYS, *(["secrets"] if secrets or "secret_file" in called else [])}
    needed |= {part for item in role.items for part in item.builds_on}
    yield from (_shared_text(name) for name in _SHARED if name in needed)
    wanted = {*called, *(["file"] if "secret_file" in called else [])}
    for name in (*(name for kind in KINDS for name in kind.shell), "fact"):
        if name in wanted:
            yield shell_text(name)


def _header(role: Role, machine: str) -> str:
    paths = sorted({path for item in role.items for path in item.paths(role.name)})
    units = [item for item in role.items if isinstance(item, Unit)]
    restarts: dict[str, list[str]] = {}
    for unit in units:
        for path in unit.restart_on:
            restarts.setdefault(path, []).append(unit.name)
    who = f"henhouse: {machine}: {role.name}"
    shell = f"{who}: the login shell must be bash"
    return "\n".join(
        [
            "#!/usr/bin/env bash",
            f"# The role {role.name} of {machine}: bash SCRIPT check|apply",
            "# shellcheck disable=SC2016,SC2034,SC2154,SC2317,SC2329 # a role need not use all of the parts below",
            f'[ -n "${{BASH_VERSION-}}" ] || {{ echo {shlex.quote(shell)} >&2; exit 1; }}',
            "set -euo pipefail",
            f"verb=${{1:-apply}} machine={shlex.quote(machine)} role={shlex.quote(role.name)}",
            _array("paths", paths),
            _array("units", [unit.name for unit in units]),
            "declare -A restarts=(",
            *(f"  [{shlex.quote(path)}]={shlex.quote(' '.join(names))}" for path, names in sorted(restarts.items())),
            ")\n",
        ]
    )


def _array(name: str, values: list[str]) -> str:
    return f"{name}=({shlex.join(values)})"


def _list(name: str, lines: Iterator[str] | list[str]) -> str:
    body = "\n".join(f"  {line}" for line in lines) or "  :"
    return f"{name}() {{\n{body}\n}}\n"


@cache
def _shared_text(name: str) -> str:
    return (Path(__file__).parent / "bash" / f"{name}.sh").read_text()
