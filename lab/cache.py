"""Slow work is done once: each artifact lives in a directory whose name is a digest of everything that went into it."""

import ast
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path

from lab.network import require_way_out
from lab.processes import run
from lab.progress import step
from lab.versions import UV


def cache_root() -> Path:
    """``$HENHOUSE_CACHE``, or ``henhouse`` in the user's cache directory (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("HENHOUSE_CACHE") or Path(base) / "henhouse").resolve()


def uv() -> Path:
    """Return the path of the installer of Python packages, where scripts/setup.sh puts it."""
    return cache_root() / f"uv-{UV}/bin/uv"


def file_digest(*paths: Path) -> str:
    """Return one digest over the contents and the names of files, to be an input of an artifact.

    Of Python files the code counts, and not what is said about it: an edited docstring or comment builds nothing again.
    """
    digest = hashlib.sha256()
    for path in sorted(paths):
        content = _code(path.read_text()) if path.suffix == ".py" else path.read_bytes()
        digest.update(path.name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:12]


def _code(text: str) -> bytes:
    """Return what Python makes of a file, without the strings that stand alone as statements: docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_docstring(each)]  # type: ignore[attr-defined]
    return ast.dump(tree).encode()


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@dataclass(frozen=True, eq=False)
class Artifact:
    """A directory in the cache that takes long to fill. Two are the same when their paths are."""

    name: str
    """First part of the directory's name, and the stage's name in the table of weights (``lab/weights.toml``)."""
    title: str
    """What is shown while it is made, such as ``building kubernetes 1.36.3``."""
    fill: Callable[[Path], None]
    """Writes the content into an empty directory. What it reads of `needs` is there by then."""
    inputs: Mapping[str, object] = field(default_factory=dict)
    """All that decides the content besides `needs`; JSON."""
    needs: tuple["Artifact", ...] = ()
    """The artifacts that `fill` reads. Another path of one of them makes this another artifact, too."""

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change when any input does."""
        tree = {**self.inputs, "needs": sorted(need.directory_name for need in self.needs)}
        return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def directory_name(self) -> str:
        """Its directory's name below `cache_root`."""
        return f"{self.name}-{self.fingerprint}"

    @property
    def path(self) -> Path:
        """Where the artifact is, or would be."""
        return cache_root() / self.directory_name

    @property
    def ready(self) -> bool:
        """Whether it is in the cache, and made after each need that is there.

        A need that is gone was removed to save space. A need that is newer was made again, and may be different: what
        Debian's archive offers under one name changes.
        """
        if not self.path.is_dir():
            return False
        made = self.path.stat().st_mtime_ns
        return all(need.path.stat().st_mtime_ns < made for need in self.needs if need.path.is_dir())

    def make(self) -> Path:
        """Return the directory, filling it and the needs that are missing first, one after another.

        It takes the final name only when it is complete, so an interrupted or failed build leaves nothing that could be
        taken for a finished one. Two processes that want the same artifact build it once: the second waits. RackError
        when it has to be built inside a rack's network, where nothing can be downloaded.
        """
        if self.ready:
            return self.path
        for need in self.needs:
            need.make()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_name(f".{self.directory_name}.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.ready:
                require_way_out(self.title)
                with step(self.title, self.name):
                    self._build()
        return self.path

    def _build(self) -> None:
        unfinished = self.path.with_name(f".{self.directory_name}.unfinished")
        _remove(unfinished)
        unfinished.mkdir()
        self.fill(unfinished)
        # Newer than every need, even when the clock was set back meanwhile.
        newest = max((need.path.stat().st_mtime_ns for need in self.needs), default=0)
        made = max(time.time_ns(), newest + 1)
        os.utime(unfinished, ns=(made, made))
        _remove(self.path)
        unfinished.rename(self.path)


def _remove(directory: Path) -> None:
    """Remove a directory, but nothing that is mounted in it; RackError when something is."""
    run(["rm", "-rf", "--one-file-system", str(directory)])


def missing(goals: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """Return what has to be built for the goals: each artifact once, after its needs.

    A complete artifact adds nothing, not even its needs, unless one of its needs is built now for another artifact.
    """
    wanted = {goal.directory_name: goal for goal in goals}
    building: dict[str, Artifact] = {}
    found = True
    while found:
        found = False
        for name, artifact in tuple(wanted.items()):
            changed = any(need.directory_name in building for need in artifact.needs)
            if name not in building and (changed or not artifact.ready):
                building[name], found = artifact, True
                wanted.update((need.directory_name, need) for need in artifact.needs)
    order = TopologicalSorter({name: [need.directory_name for need in each.needs] for name, each in building.items()})
    return tuple(building[name] for name in order.static_order() if name in building)
