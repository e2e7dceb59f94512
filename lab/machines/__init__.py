"""The kinds of machines that a rack is made of."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from lab.machines.base import Machine
from lab.machines.nspawn import NspawnMachine
from lab.machines.qemu import QemuMachine
from lab.machines.uml import UmlMachine
from lab.rack import MachineSpec, Rack

_KINDS: Final[Mapping[str, Callable[[Rack, MachineSpec, Path | None], Machine]]] = {
    "nspawn": NspawnMachine,
    "qemu": QemuMachine,
    "uml": UmlMachine,
}


def machines(rack: Rack, names: tuple[str, ...] = (), keyring: Path | None = None) -> tuple[Machine, ...]:
    """Return the rack's machines, or those named, in the rack's order; raise `RackError` for an unknown name."""
    wanted = {rack.machine(name).name for name in names}
    return tuple(_KINDS[spec.kind](rack, spec, keyring) for spec in rack.machines if not names or spec.name in wanted)
