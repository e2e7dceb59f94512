"""Machines that share this computer's kernel: systemd-nspawn with an init system, SSH and a network link of their own.

They boot in seconds and run at full speed, down to containerd and kubelet. They lack what only a machine with its own
kernel has: block devices, kernel modules, NFS.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from lab.cache import Artifact
from lab.machines import debian
from lab.machines.base import RackMachine, remove_tree
from lab.machines.identity import GuestFile, identity, into_directory
from lab.machines.modules import list_as_built_in
from lab.network import BRIDGE, inside, unplug
from lab.processes import run, start
from lab.rack import MachineSpec, Rack

_HERE: Final = Path(__file__).parent
_LINK: Final = "host0"


def nspawn_command(rack: Rack, spec: MachineSpec, root: Path) -> list[str]:
    """Return the command line that boots a root file system as a machine of the rack, systemd-nspawn(1)."""
    return [
        "systemd-nspawn",
        "--boot",
        f"--directory={root}",
        f"--machine={container_name(rack, spec)}",
        f"--hostname={spec.name}",
        f"--network-bridge={BRIDGE}",
        # There may be no systemd here to register with; the control groups are the rack's own.
        "--register=no",
        "--keep-unit",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        # runc gives each container a session keyring.
        "--system-call-filter=add_key keyctl",
        # kubelet watches the kernel's log for out-of-memory kills.
        "--bind-ro=/dev/kmsg",
        "--capability=CAP_SYSLOG",
    ]


def container_name(rack: Rack, spec: MachineSpec) -> str:
    """Return a name that no machine of another rack has: systemd-nspawn keeps files under it in /run."""
    return f"{rack.name}-{spec.name}"


def link(rack: Rack, spec: MachineSpec) -> str:
    """Return the name of the bridge's end of the machine's cable, which systemd-nspawn gives (`--network-bridge=`)."""
    return f"vb-{container_name(rack, spec)}"


def propagation_directory(rack: Rack, spec: MachineSpec) -> Path:
    """Where systemd-nspawn would pass mounts on to the machine; it outlives a machine whose power was cut."""
    return Path("/run/systemd/nspawn/propagate", container_name(rack, spec))


@dataclass(frozen=True)
class NspawnMachine(RackMachine):
    """A machine of kind ``nspawn``."""

    boot_seconds: ClassVar[float] = 120.0

    @property
    def root(self) -> Path:
        """Its root file system, a directory of this computer (containerd's snapshots cannot lie on an overlay)."""
        return self.directory / "root"

    @property
    def needs(self) -> tuple[Artifact, ...]:
        return (debian.ROOT,)

    def fill(self, directory: Path) -> None:
        root = directory / "root"
        run(["cp", "--archive", "--reflink=auto", str(debian.base_root()), str(root)])
        files = identity(self.rack, self.spec, _LINK, self.keyring)
        into_directory((*files, *_kernel_files()), root)
        list_as_built_in(root)
        run(["systemctl", f"--root={root}", "enable", "--quiet", "nspawn-kernel.service"])

    def boot(self) -> None:
        # The kernel takes a while to tidy away the network of a machine whose power was cut.
        unplug(self.rack, link(self.rack, self.spec))
        command = inside(self.rack, nspawn_command(self.rack, self.spec, self.root))
        start(self.rack, self.spec.name, command, log=self.console, memory=self.spec.memory)

    def destroy(self) -> None:
        super().destroy()
        remove_tree(propagation_directory(self.rack, self.spec))


def _kernel_files() -> tuple[GuestFile, ...]:
    script, unit = _HERE / "nspawn_kernel.sh", _HERE / "nspawn_kernel.service"
    return (
        GuestFile("usr/local/sbin/nspawn-kernel", script.read_bytes(), 0o755),
        GuestFile("etc/systemd/system/nspawn-kernel.service", unit.read_bytes()),
    )
