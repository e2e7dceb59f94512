"""What of a rack exists on this computer, so that ``lab down`` and its tests can tell that nothing does."""

import json
import os
from pathlib import Path

from lab import cgroups, network
from lab.machines.nspawn import link, propagation_directory
from lab.processes import run
from lab.rack import Rack


def leaks(rack: Rack) -> tuple[str, ...]:
    """One line for each process, namespace, mount, control group, link and file that belongs to the rack."""
    return (
        *(f"process {pid}: {_words(pid)}" for pid in sorted(cgroups.members(rack.namespace) | related(rack))),
        *(f"network namespace {path}" for path in [network.namespace_file(rack)] if path.exists()),
        *(f"mount {point}" for point in mounts(Path("/proc/self/mountinfo").read_text(), rack)),
        *(f"control group {path}" for path in cgroups.groups(rack.namespace)),
        *(f"link {name}" for name in _links(rack)),
        *(f"directory {path}" for path in _directories(rack) if path.exists()),
    )


def related(rack: Rack) -> set[int]:
    """Return the ids of processes outside the rack's control groups that use its network or name its state.

    This process and its ancestors are never among them.
    """
    state = f"{rack.state}/"
    named = {int(path.name) for path in Path("/proc").glob("[0-9]*") if state in _words(int(path.name))}
    return (network.dwellers(rack) | named) - _ancestry()


def _ancestry() -> set[int]:
    pids, pid = set(), os.getpid()
    while pid > 0:
        pids.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pids


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def mounts(mountinfo: str, rack: Rack) -> tuple[str, ...]:
    """Mount points of the rack in the text of ``/proc/self/mountinfo``."""
    points = (line.split()[4] for line in mountinfo.splitlines())
    own = (str(rack.state), str(network.namespace_file(rack)))
    return tuple(point for point in points if point in own or point.startswith(f"{rack.state}/"))


def _links(rack: Rack) -> list[str]:
    """Links outside the rack's namespace that were made for it: a machine's end of a cable."""
    found = json.loads(run(["ip", "-json", "link"]).stdout)
    own = {name for spec in rack.machines for name in (network.tap(spec), link(rack, spec))}
    return [each["ifname"] for each in found if each["ifname"] in own]


def _directories(rack: Rack) -> tuple[Path, ...]:
    return (rack.state, *(propagation_directory(rack, spec) for spec in rack.machines))
