"""What a role may not say. All mistakes of a role are reported at once, before anything is touched."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
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

_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
_IDENTIFIER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_MODE: Final = re.compile(r"[0-7]{4}")
_PACKAGE: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_VERSION: Final = re.compile(r"[0-9A-Za-z.+:~-]+\*?")
_UNIT: Final = re.compile(r"[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|mount|path|swap|slice|automount)")
_SYSCTL: Final = re.compile(r"[a-z0-9_]+([./][A-Za-z0-9_@:.-]+)+")
_MODULE: Final = re.compile(r"[A-Za-z0-9_-]+")


def refuse(role: Role, machine: str, secrets: Collection[str]) -> None:
    """Raises ValueError with all mistakes of `role`, one a line, where there are any."""
    found = list(mistakes(role, secrets))
    if found:
        raise ValueError("\n".join(f"{machine}: {role.name}: {mistake}" for mistake in found))


def mistakes(role: Role, secrets: Collection[str] = ()) -> Iterator[str]:
    """Every mistake of `role` when it is given the secrets of these names."""
    if not _NAME.fullmatch(role.name):
        yield f"{role.name!r} is no name of a role: lower-case letters, digits and hyphens"
    for name in secrets:
        if not _IDENTIFIER.fullmatch(name):
            yield f"{name!r} is no name of a secret: letters, digits, hyphens and underscores"
    for item in role.items:
        yield from _of_item(item, role, secrets)
    # Several items may each see to lines of one file.
    whole = Counter(_path(item) for item in role.items if not isinstance(item, Line | Block))
    lines = {_path(item) for item in role.items if isinstance(item, Line | Block)}
    for path, times in whole.items():
        if path and (times > 1 or path in lines):
            yield f"{path} is in more than one item, which would undo each other: make them one"
    for name, times in Counter(fact.name for fact in role.facts).items():
        if times > 1:
            yield f"fact {name} is there {times} times"


def _of_item(item: Item, role: Role, secrets: Collection[str]) -> Iterator[str]:
    path = getattr(item, "path", "/x")
    if not path.startswith("/") or path.endswith("/") or {"..", "."} & set(path.split("/")) or "\n" in path:
        yield f"{path!r} is no absolute path without a final slash"
    if isinstance(item, File | Directory) and not _MODE.fullmatch(item.mode):
        yield f"{item.path}: mode {item.mode!r} is not four octal digits such as 0644"
    match item:
        case File():
            yield from _of_file(item, secrets)
        case Line():
            yield from _of_line(item)
        case Block() if not item.content.endswith("\n") or "\0" in item.content:
            yield f"block of {item.path} is not made of whole lines"
        case Package():
            if not _PACKAGE.fullmatch(item.name):
                yield f"{item.name!r} is no name of a Debian package"
            if item.version is not None and not _VERSION.fullmatch(item.version):
                yield f"package {item.name}: {item.version!r} is no version; * stands for the rest at its end only"
            if item.held and item.version is None:
                yield f"package {item.name} is held, so it needs a version"
        case Service():
            yield from _of_service(item, role)
        case Sysctl() if not _SYSCTL.fullmatch(item.key) or "\n" in item.value:
            yield f"{item.key!r} = {item.value!r} is no kernel parameter such as net.ipv4.ip_forward = 1"
        case KernelModule() if not _MODULE.fullmatch(item.name):
            yield f"{item.name!r} is no name of a kernel module"
        case Script() if not (item.name.strip() and item.check.strip() and item.apply.strip()):
            yield f"script {item.name!r} needs a name, a check and an apply"


def _of_file(item: File, secrets: Collection[str]) -> Iterator[str]:
    if (item.content is None) == (item.secret is None):
        yield f"{item.path} needs either a content or the name of a secret"
    if item.content is not None and "\0" in item.content:
        yield f"{item.path}: a content with NUL bytes cannot be written by a shell"
    if item.secret is not None and item.secret not in secrets:
        given = ", ".join(sorted(secrets)) or "none"
        yield f"{item.path}: the role is given no secret {item.secret!r}; it has {given}"
    if item.secret is not None and item.mode[-1:] != "0":
        yield f"{item.path} is a secret, and mode {item.mode} lets everybody read it"


def _of_line(item: Line) -> Iterator[str]:
    if (item.line is None) != item.comment_out:
        yield f"line of {item.path} needs either a line or comment_out"
    if "\n" in (item.line or ""):
        yield f"line of {item.path} is more than one line"
    if not item.matching:
        yield f"line of {item.path} matches every line: say which it replaces"


def _of_service(item: Service, role: Role) -> Iterator[str]:
    if not _UNIT.fullmatch(item.name):
        yield f"{item.name!r} is no full name of a unit such as chrony.service"
    known = {_path(each) for each in role.items if isinstance(each, File | Line | Block | Absent)}
    for path in item.restart_on:
        if path not in known:
            yield f"service {item.name} restarts on {path}, which is no file of this role"


def _path(item: Item) -> str | None:
    return getattr(item, "path", None)
