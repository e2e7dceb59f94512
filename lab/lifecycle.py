"""Making a rack, taking it apart, and its power switches. Each may be interrupted anywhere and repeated."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from lab import cgroups, host, network, ssh
from lab.builder import make_all
from lab.cache import Artifact, missing
from lab.door import open_doors
from lab.leaks import leaks, related
from lab.machines import machines
from lab.machines.base import Machine, remove_tree
from lab.mirror import PARTS, mirror, start_mirror
from lab.progress import step
from lab.rack import Rack, RackError
from lab.together import together

_TERM_SECONDS: Final = 3.0


@contextmanager
def only_one(rack: Rack) -> Iterator[None]:
    """Hold the rack's lock, so that no other `lab` changes the rack; raise `RackError` at once when another has it."""
    host.check_root()  # before it makes a file that would keep root out later (sysctl fs.protected_regular)
    with open(f"/run/lock/{rack.namespace}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RackError(f"another `lab` is busy with the rack {rack.name!r}; wait for it to finish") from error
        yield


def up(rack: Rack, *, and_then: Sequence[Artifact] = ()) -> None:
    """Make what is missing of the rack and switch on what is off; return when every machine answers over SSH.

    The artifacts `and_then` are made along with the rack's own, for what the caller does next.
    """
    host.check_root()
    host.install_packages()
    host.check_resources(rack)
    make_all((*artifacts(rack), *and_then))
    network.create(rack)
    ssh.set_up(rack)
    shown = mirror() if rack.campus.mirror else None
    if shown is not None:
        start_mirror(rack, shown)
    all_machines = machines(rack, keyring=shown.keyring if shown else None)
    together(all_machines, _create)
    power_on(all_machines)
    open_doors(rack)


def artifacts(rack: Rack) -> tuple[Artifact, ...]:
    """Return what the rack is made from: the needs of the machines that do not exist yet, and the mirror's parts."""
    absent = [machine for machine in machines(rack) if machine.status().state == "absent"]
    return (*(need for machine in absent for need in machine.needs), *(PARTS if rack.campus.mirror else ()))


def stages(rack: Rack, *, and_then: Sequence[Artifact] = ()) -> tuple[str, ...]:
    """Return the stages that `up` still has to do, by their names in the table of weights."""
    states = {machine.spec.name: machine.status().state for machine in machines(rack)}
    return (
        *([host.STAGE] if host.absent_packages() else []),
        *(artifact.name for artifact in missing((*artifacts(rack), *and_then))),
        *(f"install-{rack.machine(name).kind}:{name}" for name, state in states.items() if state == "absent"),
        *(f"boot-{rack.machine(name).kind}:{name}" for name, state in states.items() if state != "on"),
    )


def _create(machine: Machine) -> None:
    if machine.status().state == "absent":
        with step(f"{machine.spec.name}: installing Debian", f"install-{machine.spec.kind}:{machine.spec.name}"):
            machine.create()


def reinstall(rack: Rack, names: tuple[str, ...]) -> None:
    """Reinstall machines, as after the loss of their system disks, and switch them on. Data disks stay."""
    make_all(tuple(need for machine in machines(rack, names) for need in machine.needs))
    wanted = machines(rack, names, keyring=mirror().keyring if rack.campus.mirror else None)

    def install(machine: Machine) -> None:
        with step(f"{machine.spec.name}: installing Debian", f"install-{machine.spec.kind}:{machine.spec.name}"):
            machine.reinstall()

    together(wanted, install)
    power_on(wanted)


def power_on(wanted: tuple[Machine, ...]) -> None:
    """Switch machines on in the rack's order, without waiting for one before the next, then wait for all."""
    for machine in wanted:
        if machine.status().state == "absent":
            raise RackError(f"{machine.spec.name} does not exist yet; run `lab up`")

    def boot(machine: Machine) -> None:
        if machine.status().state == "on":
            machine.wait()
            return
        with step(f"{machine.spec.name}: booting", f"boot-{machine.spec.kind}:{machine.spec.name}"):
            machine.start()
            machine.wait()

    together(wanted, boot)


def power_cut(wanted: tuple[Machine, ...]) -> None:
    """Take the power from machines at once."""
    with step(f"cutting the power of {', '.join(machine.spec.name for machine in wanted)}"):
        together(wanted, lambda machine: machine.cut())


def power_off(wanted: tuple[Machine, ...]) -> None:
    """Shut machines down cleanly."""
    with step(f"shutting down {', '.join(machine.spec.name for machine in wanted)}"):
        together(wanted, lambda machine: machine.poweroff())


def down(rack: Rack) -> None:
    """Remove every trace of the rack but the cache, whatever state it is in; raise `RackError` if something stays."""
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
    """End programs that people ran inside the rack: send SIGTERM, and SIGKILL to those still there a little later."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _TERM_SECONDS
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
