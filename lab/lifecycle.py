"""Making a rack, taking it apart, and its power switches. Each may be interrupted anywhere and repeated."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from lab import cgroups, host, network, ssh
from lab.door import open_door
from lab.leaks import leaks, related
from lab.machines import machines
from lab.machines.base import Machine, remove_tree
from lab.machines.zfs import zfs_module_deb
from lab.mirror import Mirror, ensure_mirror, start_mirror
from lab.progress import step
from lab.rack import Rack, RackError
from lab.together import together

_TERM_SECONDS: Final = 3.0


@contextmanager
def only_one(rack: Rack) -> Iterator[None]:
    """Nobody else makes or unmakes this rack meanwhile; `RackError` at once when somebody does."""
    with open(f"/run/lock/{rack.namespace}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RackError(f"another `lab` is busy with the rack {rack.name!r}; wait for it to finish") from error
        yield


def up(rack: Rack) -> None:
    """Makes what is missing of the rack and switches on what is off; returns when every machine answers over SSH."""
    host.check_root()
    host.install_packages()
    host.check_resources(rack)
    absent = (machine for machine in machines(rack) if machine.status().state == "absent")
    for first_of_kind in {machine.spec.kind: machine for machine in absent}.values():
        first_of_kind.prepare()
    mirror = _mirror(rack)
    network.create(rack)
    ssh.set_up(rack)
    if mirror is not None:
        start_mirror(rack, mirror)
    all_machines = machines(rack, keyring=mirror.keyring if mirror else None)
    together(all_machines, _create)
    power_on(all_machines)
    open_door(rack)


def _mirror(rack: Rack) -> Mirror | None:
    if not rack.campus.mirror:
        return None
    virtual = any(machine.kind == "qemu" for machine in rack.machines)
    return ensure_mirror((zfs_module_deb(),) if virtual else ())


def _create(machine: Machine) -> None:
    if machine.status().state == "absent":
        with step(f"{machine.spec.name}: installing Debian"):
            machine.create()


def power_on(wanted: tuple[Machine, ...]) -> None:
    """Switches machines on in the rack's order, without waiting for one before the next, then waits for all."""
    for machine in wanted:
        if machine.status().state == "absent":
            raise RackError(f"{machine.spec.name} does not exist yet; run `lab up`")

    def boot(machine: Machine) -> None:
        if machine.status().state == "on":
            machine.wait()
            return
        with step(f"{machine.spec.name}: booting"):
            machine.start()
            machine.wait()

    together(wanted, boot)


def power_cut(wanted: tuple[Machine, ...]) -> None:
    """Takes the power from machines at once."""
    with step(f"cutting the power of {', '.join(machine.spec.name for machine in wanted)}"):
        together(wanted, lambda machine: machine.cut())


def power_off(wanted: tuple[Machine, ...]) -> None:
    """Shuts machines down in order."""
    with step(f"shutting down {', '.join(machine.spec.name for machine in wanted)}"):
        together(wanted, lambda machine: machine.poweroff())


def down(rack: Rack) -> None:
    """Removes every trace of the rack but the cache, whatever state it is in; `RackError` if something stays."""
    host.check_root()
    with step(f"taking down the rack {rack.name!r}"):
        cgroups.kill(rack.namespace)
        _end(related(rack))
        for machine in machines(rack):
            machine.destroy()
        network.remove(rack)
        cgroups.remove(rack.namespace)
        remove_tree(rack.state)
    if left := leaks(rack):
        raise RackError(f"the rack {rack.name!r} left behind:\n  " + "\n  ".join(left))


def _end(pids: set[int]) -> None:
    """SIGTERM, and SIGKILL for what is still there a little later: programs that people ran inside the rack."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _TERM_SECONDS
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
