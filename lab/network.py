"""The rack's network: one namespace with one bridge, "the campus". No packet leaves it or enters it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lab.processes import run
from lab.rack import NAMESPACE_PREFIX, MachineSpec, Rack, RackError

BRIDGE: Final = "sw0"
_NAMESPACES: Final = Path("/run/netns")


def namespace_file(rack: Rack) -> Path:
    """Return the path of the bind mount that keeps the namespace alive, see ip-netns(8)."""
    return _NAMESPACES / rack.namespace


def inside(rack: Rack, command: Sequence[str]) -> list[str]:
    """`command`, run in the rack's network and otherwise where it would have run.

    Not ``ip netns exec``: that mounts another ``/sys``, without the control groups that systemd-nspawn looks for.
    """
    return ["nsenter", f"--net={namespace_file(rack)}", *command]


def require_up(rack: Rack) -> None:
    """`RackError` when the rack's network does not exist."""
    if not exists(rack):
        raise RackError(f"the rack {rack.name!r} is not up; run `make up` (or `python -m lab --rack {rack.name} up`)")


def require_way_out(what: str) -> None:
    """`RackError` when this process is inside a rack's network: `what` needs to reach the world, and cannot."""
    own = os.stat("/proc/self/ns/net")
    for name in sorted(_NAMESPACES.glob(f"{NAMESPACE_PREFIX}*")):
        if os.path.samestat(os.stat(name), own):
            raise RackError(
                f"{what}: not possible from inside the rack's network ({name.name}), which leads nowhere; "
                f"run the same command outside it (leave `make shell` or `lab exec` first)"
            )


def exists(rack: Rack) -> bool:
    """Whether the namespace is there and can be entered (an interrupted ``ip netns add`` leaves a plain file)."""
    return run(inside(rack, ["true"]), check=False).returncode == 0


def create(rack: Rack) -> None:
    """Make what is missing of the namespace, the bridge and its address."""
    if not exists(rack):
        namespace_file(rack).unlink(missing_ok=True)
        run(["ip", "netns", "add", rack.namespace])
    if not link_exists(rack, BRIDGE):
        run(["ip", "-n", rack.namespace, "link", "add", BRIDGE, "type", "bridge"])
    run(["ip", "-n", rack.namespace, "address", "replace", str(rack.campus.interface), "dev", BRIDGE])
    for link in ("lo", BRIDGE):
        run(["ip", "-n", rack.namespace, "link", "set", link, "up"])
    # The bridge stands for a switch: frames between machines must not pass this computer's own packet filter.
    # The file is there only when the kernel has br_netfilter.
    for setting in ("bridge/bridge-nf-call-iptables", "ipv4/ip_forward"):
        run(inside(rack, ["sh", "-c", f"cd /proc/sys/net && [ ! -e {setting} ] || echo 0 >{setting}"]))


def link_exists(rack: Rack, name: str) -> bool:
    """Whether the namespace has a link of that name."""
    return run(["ip", "-n", rack.namespace, "link", "show", name], check=False).returncode == 0


def tap(spec: MachineSpec) -> str:
    """Name of a virtual machine's link on the bridge (15 characters at most)."""
    return f"t-{spec.name}"


def plug_in_tap(rack: Rack, spec: MachineSpec) -> None:
    """Make a tap device for a virtual machine, put it on the bridge and bring it up."""
    name = tap(spec)
    if not link_exists(rack, name):
        run(["ip", "-n", rack.namespace, "tuntap", "add", "dev", name, "mode", "tap"])
    run(["ip", "-n", rack.namespace, "link", "set", name, "master", BRIDGE, "up"])


def unplug(rack: Rack, name: str) -> None:
    """Remove a link, if it is there."""
    if exists(rack) and link_exists(rack, name):
        run(["ip", "-n", rack.namespace, "link", "delete", name])


def dwellers(rack: Rack) -> set[int]:
    """Return the ids of processes whose network is the rack's namespace, whoever started them."""
    try:
        wanted = namespace_file(rack).stat()
    except OSError:
        return set()
    found = set()
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if os.path.samestat(os.stat(directory / "ns/net"), wanted):
                found.add(int(directory.name))
        except OSError:  # gone meanwhile
            continue
    return found


def remove(rack: Rack) -> None:
    """Remove the namespace, and with it the bridge and every link on it."""
    if namespace_file(rack).exists():
        run(["ip", "netns", "delete", rack.namespace])
