"""Renders a role into the one bash script that checks and applies it.

The script is a header, the parts of `bash/` that the role needs, and one call for each item. `bash SCRIPT check` is
read-only and prints one JSON object a line for each difference (`item`, `expected`, `found`; never a secret's value);
its exit status is 0 when it could look at everything. `bash SCRIPT apply`, the default, changes what differs and looks
again; it prints its progress to standard error and the role's facts, one JSON object, to standard output.

Secrets come by standard input, one a line: name, blank, base64. A role's own shell reads one with `secret NAME`.
"""

import base64
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

from components.host.role import (
    Absent,
    Block,
    Directory,
    File,
    Item,
    KernelModule,
    Line,
    Package,
    Role,
    Script,
    Service,
    Sysctl,
)
from components.host.rules import refuse

CHECK: Final = "set -- check\n"
"""Put in front of a script that a login shell runs, makes it check instead of apply."""

_SUBJECT: Final = re.compile(r"^verb=\$\{1:-apply\} machine=(?P<machine>\S+) role=(?P<role>\S+)$", re.MULTILINE)

MAX_BYTES: Final = 120 * 1024
"""A script is one argument of the login shell, and Linux takes 128 KiB in one argument (execve(2), MAX_ARG_STRLEN)."""

_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "core": ("units",),
    "units": (),
    "secrets": (),
    "paths": (),
    "file": ("paths",),
    "secret_file": ("paths", "file", "secrets"),
    "directory": ("paths",),
    "absent": ("paths",),
    "line": ("paths",),
    "block": ("paths",),
    "packages": (),
    "service": (),
    "sysctl": (),
    "module": (),
    "script": (),
    "fact": (),
}
"""The parts of bash/ in the order in which they are put together, each with those that it builds on."""


@dataclass(frozen=True)
class _Call:
    """One line of the script's list of items, and the functions that it names."""

    part: str
    arguments: tuple[str, ...]
    functions: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return shlex.join([self.part, *self.arguments])


def render(role: Role, machine: str, secrets: Collection[str] = ()) -> str:
    """The script of `role` for `machine`, which gets these `secrets` by standard input.

    Raises ValueError with every mistake of the role, or when the script is too long to be run.
    """
    refuse(role, machine, secrets)
    calls = list(_calls(role))
    facts = [
        _Call("fact", (fact.name, f"fact_{at}"), ((f"fact_{at}", fact.command),))
        for at, fact in enumerate(role.facts, start=1)
    ]
    needed = {"core", *(["secrets"] if secrets else []), *(call.part for call in (*calls, *facts))}
    needed |= {part for each in needed for part in _PARTS[each]}
    functions = [function for call in (*calls, *facts) for function in call.functions]
    script = "\n".join(
        [
            _header(role, machine),
            *(_part(name) for name in _PARTS if name in needed),
            *(f"{name}() {{\n{body.strip()}\n}}\n" for name, body in functions),
            _list("items", map(str, calls)),
            _list("facts", ["found_facts=", *map(str, facts), "printf '{%s}\\n' \"$found_facts\" >&3"]),
            "main",
            "",
        ]
    )
    if len(script.encode()) > MAX_BYTES:
        raise ValueError(
            f"{machine}: {role.name}: the script has {len(script.encode())} bytes, and a command may have {MAX_BYTES}: "
            "split the role, or let a Script fetch the large file and check its digest"
        )
    return script


def subject(script: str) -> tuple[str, str] | None:
    """The machine and the role of a script; None for a text that `render` did not make."""
    match = _SUBJECT.search(script)
    return (match["machine"], match["role"]) if match else None


def standard_input(secrets: Mapping[str, str]) -> str:
    """What a script with secrets reads."""
    return "".join(f"{name} {base64.b64encode(value.encode()).decode()}\n" for name, value in sorted(secrets.items()))


def _header(role: Role, machine: str) -> str:
    paths = sorted({path for item in role.items for path in _paths(role, item)})
    services = [item for item in role.items if isinstance(item, Service)]
    restarts: dict[str, list[str]] = {}
    for service in services:
        for path in service.restart_on:
            restarts.setdefault(path, []).append(service.name)
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
            _array("units", [service.name for service in services]),
            "declare -A restarts=(",
            *(f"  [{shlex.quote(path)}]={shlex.quote(' '.join(names))}" for path, names in sorted(restarts.items())),
            ")\n",
        ]
    )


def _calls(role: Role) -> Iterator[_Call]:
    """The items in order; packages that follow each other, all kernel parameters and all modules go together."""
    seen: set[type] = set()
    at = 0
    for kind, group in groupby(role.items, type):
        if kind is Package:
            yield _packages([item for item in group if isinstance(item, Package)])
        elif kind in (Sysctl, KernelModule):
            if kind not in seen:
                yield from _kernel(role, kind)
        else:
            for item in group:
                at += 1
                yield _call(item, at)
        seen.add(kind)


def _call(item: Item, at: int) -> _Call:
    match item:
        case File():
            validate = ((f"validate_{at}", item.validate),) if item.validate else ()
            text = item.content if item.secret is None else item.secret
            arguments = (item.path, item.mode, item.owner, item.group, text or "", *(name for name, _ in validate))
            return _Call("file" if item.secret is None else "secret_file", arguments, validate)
        case Directory():
            return _Call("directory", (item.path, item.mode, item.owner, item.group))
        case Absent():
            return _Call("absent", (item.path,))
        case Line():
            return _Call("line", ("comment" if item.comment_out else "set", item.path, item.matching, item.line or ""))
        case Block():
            return _Call("block", (item.path, item.content))
        case Service():
            boot = "masked" if item.masked else "enabled" if item.enabled else "disabled"
            now = "active" if item.running and not item.masked else "inactive"
            return _Call("service", (item.name, boot, now, *(["reload"] if item.reload else [])))
        case Script():
            functions = ((f"check_{at}", item.check), (f"apply_{at}", item.apply))
            return _Call("script", (item.name, *(name for name, _ in functions)), functions)
    raise TypeError(f"no rendering for {item!r}")


def _packages(items: list[Package]) -> _Call:
    return _Call(
        "packages", tuple(f"{item.name} {item.version or '*'} {'held' if item.held else '-'}" for item in items)
    )


def _kernel(role: Role, kind: type) -> Iterator[_Call]:
    """A file for the next boot, and what is now."""
    path = _kernel_path(role, kind)
    attributes = ("0644", "root", "root")
    if kind is Sysctl:
        values = {item.key: " ".join(item.value.split()) for item in role.items if isinstance(item, Sysctl)}
        yield _Call("file", (path, *attributes, "".join(f"{key} = {value}\n" for key, value in values.items())))
        for key, value in values.items():
            yield _Call("sysctl", (key, _proc_path(key), value))
    else:
        names = [item.name for item in role.items if isinstance(item, KernelModule)]
        yield _Call("file", (path, *attributes, "".join(f"{name}\n" for name in names)))
        for name in names:
            yield _Call("module", (name,))


def _kernel_path(role: Role, kind: type) -> str:
    directory = "sysctl.d" if kind is Sysctl else "modules-load.d"
    return f"/etc/{directory}/90-henhouse-{role.name}.conf"


def _proc_path(key: str) -> str:
    """Where a kernel parameter is in /proc/sys. When its first separator is a slash, dots are part of names
    (sysctl.d(5))."""
    slash, dot = key.find("/"), key.find(".")
    if slash == -1 or -1 < dot < slash:
        key = key.translate(str.maketrans("./", "/."))
    return f"/proc/sys/{key}"


def _paths(role: Role, item: Item) -> Iterator[str]:
    if isinstance(item, File | Directory | Absent | Line | Block):
        yield item.path
    elif isinstance(item, Sysctl | KernelModule):
        yield _kernel_path(role, type(item))


def _array(name: str, values: list[str]) -> str:
    return f"{name}=({shlex.join(values)})"


def _list(name: str, lines: Iterator[str] | list[str]) -> str:
    body = "\n".join(f"  {line}" for line in lines) or "  :"
    return f"{name}() {{\n{body}\n}}\n"


@cache
def _part(name: str) -> str:
    return (Path(__file__).parent / "bash" / f"{name}.sh").read_text()
