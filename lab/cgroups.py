"""Control groups of the rack: one for each machine and each helper process, in every hierarchy.

They are also the rack's record of its processes: the kernel keeps it, so it survives any interruption and cannot
name a stranger that inherited a number. A machine's whole tree of processes stays inside, whatever it forks.

A machine without a kernel of its own needs a group in *every* version 1 hierarchy: its cgroup namespace would
otherwise begin at the computer's root, and all kubelets of the rack would meet in one ``/kubepods``.
"""

import errno
import os
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.rack import NAMESPACE_PREFIX

_V2_CONTROLLERS: Final = ("cpuset", "cpu", "io", "memory", "pids")
_KILL_SECONDS: Final = 30.0
_REMOVE_SECONDS: Final = 20.0
_JOIN: Final = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit; shift; done; shift; exec "$@"'


@dataclass(frozen=True)
class Hierarchy:
    """One mounted hierarchy and this process's place in it."""

    controllers: frozenset[str]
    """Version 1 controllers; empty for version 2 and for systemd's named hierarchy."""
    mount: Path
    own: str
    """Path of this process's group below the mount."""
    unified: bool


def parse_hierarchies(cgroup: str, mountinfo: str) -> tuple[Hierarchy, ...]:
    """Read the hierarchies from the texts of ``/proc/self/cgroup`` and ``/proc/self/mountinfo``.

    See cgroups(7) and proc(5).
    """
    mounts: dict[str, Path] = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            mounts.setdefault("", Path(before.split()[4]))
        elif kind == "cgroup":
            mounts.update({option: Path(before.split()[4]) for option in options.split(",")})
    found = []
    for line in cgroup.splitlines():
        _, names, own = line.split(":", 2)
        mount = mounts.get(names.split(",")[0])
        if mount is not None:
            controllers = frozenset(name for name in names.split(",") if name and "=" not in name)
            found.append(Hierarchy(controllers, mount, own, unified=not names))
    return tuple(found)


def hierarchies() -> tuple[Hierarchy, ...]:
    """All hierarchies mounted here."""
    return parse_hierarchies(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text())


def _home(hierarchy: Hierarchy, alone: bool) -> Path:
    """Where the rack's groups begin: below our own group, so that its limits hold for the rack too.

    Where version 2 is the only hierarchy, at the root: a group with processes in it cannot hand down controllers
    (cgroup-v2.rst, "no internal process constraint").
    """
    if alone and hierarchy.unified:
        return hierarchy.mount
    outside = hierarchy.own.partition(f"/{NAMESPACE_PREFIX}")[0]
    return hierarchy.mount / outside.lstrip("/")


def create(rack: str, unit: str, memory: int | None = None) -> tuple[Path, ...]:
    """Make fresh groups for a unit of the rack in every hierarchy; return their ``cgroup.procs`` files.

    `memory` is a limit in bytes. Stale groups inside are removed first: kubelet spends seconds on each at its start.
    """
    remove(rack, unit)
    found = hierarchies()
    entrances = []
    for hierarchy in found:
        home = _home(hierarchy, alone=len(found) == 1)
        group = home / rack / unit
        group.mkdir(parents=True, exist_ok=True)
        for level in (group.parent, group):
            _open_up(hierarchy, level)
        if memory is not None:
            _limit_memory(hierarchy, group, memory)
        entrances.append(group / "cgroup.procs")
    return tuple(entrances)


def _open_up(hierarchy: Hierarchy, group: Path) -> None:
    if "cpuset" in hierarchy.controllers:
        for file in ("cpuset.cpus", "cpuset.mems"):  # empty in a new group, and nothing can join it until they are set
            (group / file).write_text((group.parent / file).read_text())
    if hierarchy.unified:
        available = (group.parent / "cgroup.controllers").read_text().split()
        wanted = [f"+{name}" for name in _V2_CONTROLLERS if name in available]
        (group.parent / "cgroup.subtree_control").write_text(" ".join(wanted))


def _limit_memory(hierarchy: Hierarchy, group: Path, limit: int) -> None:
    if "memory" in hierarchy.controllers:
        (group / "memory.limit_in_bytes").write_text(str(limit))
    elif (group / "memory.max").exists():
        (group / "memory.max").write_text(str(limit))


def joining(entrances: Iterable[Path], command: Sequence[str]) -> list[str]:
    """`command`, preceded by a shell that enters the groups and then becomes the command (same process)."""
    return ["sh", "-c", _JOIN, "sh", *map(str, entrances), "--", *command]


def groups(rack: str, unit: str | None = None) -> Iterator[Path]:
    """Yield the directories of a rack or of one of its units, in every hierarchy.

    They are found below any group, because the process that made them may have run in any group.
    """
    for mount in {hierarchy.mount for hierarchy in hierarchies()}:
        for directory, children, _ in os.walk(mount):
            if rack in children:
                path = Path(directory, rack, unit or "")
                if path.is_dir():
                    yield path
            children[:] = [child for child in children if not child.startswith(NAMESPACE_PREFIX)]


def members(rack: str, unit: str | None = None) -> set[int]:
    """Process ids inside the groups of a rack, or of one unit."""
    pids: set[int] = set()
    for group in groups(rack, unit):
        for directory, _, _ in os.walk(group):
            with suppress(OSError):  # a group that vanished meanwhile
                pids.update(int(line) for line in Path(directory, "cgroup.procs").read_text().split())
    return {pid for pid in pids if _alive(pid)}


def _alive(pid: int) -> bool:
    """Return whether the process is alive, which a zombie is not.

    A zombie holds no resource, and leaves its group only when its parent waits for it.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def memory_used(rack: str, unit: str) -> int:
    """Bytes that a unit's processes hold now, shared memory included and caches of files not."""
    for group in groups(rack, unit):
        if (group / "memory.stat").exists():
            lines = (line.split() for line in (group / "memory.stat").read_text().splitlines())
            amounts = {key: int(value) for key, value in lines}
            if "total_rss" in amounts:  # version 1
                return amounts["total_rss"] + amounts.get("total_shmem", 0)
            return amounts["anon"] + amounts["shmem"]
    return 0


def kill(rack: str, unit: str | None = None) -> None:
    """Send SIGKILL to everything in the groups, again and again until they are empty: a tree forks while it dies."""
    deadline = time.monotonic() + _KILL_SECONDS
    while pids := members(rack, unit):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{rack}/{unit or ''}: processes {sorted(pids)} do not die (in uninterruptible sleep?)")
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def remove(rack: str, unit: str | None = None) -> None:
    """Remove the groups, the innermost first. What ran in them must have ended, or be about to end.

    A process that has died keeps its group busy until the kernel has taken its memory down: moments, or seconds for
    a virtual machine's. Raise OSError when a group is still busy after that.
    """
    deadline = time.monotonic() + _REMOVE_SECONDS
    for group in list(groups(rack, unit)):
        for directory, _, _ in os.walk(group, topdown=False):
            _remove_when_free(directory, deadline)


def _remove_when_free(directory: str, deadline: float) -> None:
    while True:
        try:
            os.rmdir(directory)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
