"""Ways into the rack for a person outside it: loopback ports of this computer, passed on by systemd's own programs.

The rack's network cannot be reached from outside it. A listening socket keeps the network that it was made in, so
systemd-socket-activate(1) makes it here and hands it to a systemd-socket-proxyd(8) that runs inside.
"""

import socket
import time
from pathlib import Path
from typing import Final

from lab.network import inside
from lab.processes import running, start
from lab.rack import BackDoor, Rack, RackError

_PROXY: Final = "/usr/lib/systemd/systemd-socket-proxyd"
_START_SECONDS: Final = 10.0


def door_command(rack: Rack, door: BackDoor) -> list[str]:
    """Return the command that listens outside and passes every connection, from the first on, to the machine's port."""
    proxy = inside(rack, [_PROXY, f"{rack.machine(door.machine).address}:{door.port}"])
    return ["systemd-socket-activate", f"--listen={door.listen}", *proxy]


def unit(name: str) -> str:
    """Return the name of a door's process among the rack's."""
    return f"_{name}"


def open_doors(rack: Rack) -> None:
    """Start the proxies that do not run; raise `RackError` when a port is taken."""
    for name, door in rack.doors.items():
        if not running(rack, unit(name)):
            _open(rack, name, door)


def _open(rack: Rack, name: str, door: BackDoor) -> None:
    log = rack.state / f"{name}.log"
    start(rack, unit(name), door_command(rack, door), log=log)
    deadline = time.monotonic() + _START_SECONDS
    while not _listening(door.listen):
        if not running(rack, unit(name)) or time.monotonic() > deadline:
            raise RackError(
                f"{name}.listen: nothing listens on {door.listen} ({_last_line(log)}); "
                f"free the port, or set another one in the rack's file"
            )
        time.sleep(0.05)


def _listening(listen: str) -> bool:
    """Return whether the port is taken. Try to take it, because a connection would wake the proxy."""
    address, _, port = listen.partition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, int(port)))
        except OSError:
            return True
    return False


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").strip().splitlines() or ["no word from it"])[-1]
