"""A way into the rack for a person's browser: a loopback port of this computer, passed on by systemd's own programs.

The rack's network cannot be reached from outside it. A listening socket keeps the network that it was made in, so
systemd-socket-activate(1) makes it here and hands it to a systemd-socket-proxyd(8) that runs inside.
"""

import socket
import time
from pathlib import Path
from typing import Final

from lab.network import inside
from lab.processes import running, start
from lab.rack import Door, Rack, RackError

UNIT: Final = "_door"
_PROXY: Final = "/usr/lib/systemd/systemd-socket-proxyd"
_START_SECONDS: Final = 10.0


def door_command(rack: Rack, door: Door) -> list[str]:
    """Return the command that listens outside and passes every connection, from the first on, to the machine's port."""
    proxy = inside(rack, [_PROXY, f"{rack.machine(door.machine).address}:{door.port}"])
    return ["systemd-socket-activate", f"--listen={door.listen}", *proxy]


def open_door(rack: Rack) -> None:
    """Start the proxy unless it runs or the rack has no door; raise `RackError` when the port is taken."""
    if rack.door is None or running(rack, UNIT):
        return
    log = rack.state / "door.log"
    start(rack, UNIT, door_command(rack, rack.door), log=log)
    deadline = time.monotonic() + _START_SECONDS
    while not _listening(rack.door.listen):
        if not running(rack, UNIT) or time.monotonic() > deadline:
            raise RackError(
                f"door.listen: nothing listens on {rack.door.listen} ({_last_line(log)}); "
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
