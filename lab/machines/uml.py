"""Machines with a kernel of their own that runs as a program: user-mode Linux, at the processor's own speed.

They have what an nspawn machine lacks (NFS, block devices, control groups of version 2, their own packet filter), and
boot in seconds where emulation takes a minute. https://docs.kernel.org/virt/uml/user_mode_linux_howto_v2.html
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from lab.cache import Artifact, file_digest
from lab.machines import debian
from lab.machines.base import RackMachine, remove_tree
from lab.machines.identity import GuestFile, identity, into_image
from lab.machines.uml_kernel import KERNEL, kernel
from lab.network import inside, plug_in_tap, tap, unplug
from lab.processes import run, start
from lab.rack import MachineSpec, Rack, RackError, size_in_bytes

_LINK: Final = "vec0"
_DISK: Final = "disk"
"""Its root: a sparse ext4 image without a partition table."""
_DISK_SIZE: Final = "16G"
_SWAP: Final = "swap.disk"
_SWAP_SIZE: Final = "64M"
"""On a disk with the label that the base root's fstab asks for: a boot without it waits 90 s for the device."""
_MEMORY_DIRECTORY: Final = Path("/dev/shm")


def uml_command(rack: Rack, spec: MachineSpec, program: Path) -> list[str]:
    """Return the kernel and its command line; `program` ``--help`` lists the options that only user-mode Linux has."""
    state = rack.machine_state(spec)
    return [
        str(program),
        f"umid={spec.name}",
        f"uml_dir={state}",
        f"mem={spec.memory}",
        # Each keeps to one processor of the computer, together with the process that it runs (uml/one-processor.patch).
        # Of a process with many threads, only one runs at any time.
        f"ncpus={spec.cpus}",
        # Guest processes enter the kernel by a signal that seccomp raises, not by ptrace: faster, and needed for
        # several processors. The guest could reach the kernel's memory; it is trusted, like all of the rack.
        "seccomp=on",
        f"ubd0={state / _DISK}",
        f"ubd1={state / _SWAP}",
        "root=/dev/ubda",
        "rootfstype=ext4",
        "rw",
        f"{_LINK}:transport=tap,ifname={tap(spec)},depth=64,gro=1",
        "net.ifnames=0",
        "dummy.numdummies=0",
        "con=null",
        "con0=null,fd:1",
        "console=tty0",
    ]


def check_memory(needed: int, free: int, executable: bool, directory: Path = _MEMORY_DIRECTORY) -> None:
    """Raise `RackError` when the guest's memory, in bytes, does not fit into `directory` or cannot be executed there.

    The guest's memory is an unlinked file that its processes map with execute permission.
    """
    if not executable:
        raise RackError(
            f"{directory} is mounted noexec, and a user-mode Linux machine's memory lies there: "
            f"`mount -o remount,exec {directory}`"
        )
    if needed > free:
        raise RackError(
            f"{directory} has {free >> 20} MiB free, and the machine's memory takes up to {needed >> 20} MiB of it: "
            f"make the file system larger, or the machine's `memory` smaller"
        )


@dataclass(frozen=True)
class UmlMachine(RackMachine):
    """A machine of kind ``uml``."""

    boot_seconds: ClassVar[float] = 180.0

    @property
    def needs(self) -> tuple[Artifact, ...]:
        return (DISK, KERNEL)

    def fill(self, directory: Path) -> None:
        disk = directory / _DISK
        run(["cp", "--sparse=always", "--reflink=auto", str(DISK.make() / _DISK), str(disk)])
        into_image(identity(self.rack, self.spec, _LINK, self.keyring), disk)
        run(["truncate", f"--size={_SWAP_SIZE}", str(directory / _SWAP)])
        run(["mkswap", "--label", "swap", str(directory / _SWAP)])

    def boot(self) -> None:
        found = os.statvfs(_MEMORY_DIRECTORY)
        executable = not found.f_flag & os.ST_NOEXEC
        check_memory(size_in_bytes(self.spec.memory), found.f_bavail * found.f_frsize, executable)
        plug_in_tap(self.rack, self.spec)
        # A power cut leaves the last run's `umid` directory, with a process id that may be another program's by now:
        # the kernel would then believe that the machine still runs, and go by a random name.
        remove_tree(self.directory / self.spec.name)
        command = inside(self.rack, uml_command(self.rack, self.spec, kernel().program))
        environment = {"TMPDIR": str(_MEMORY_DIRECTORY)}
        start(self.rack, self.spec.name, command, log=self.console, environment=environment)

    def cut(self) -> None:
        super().cut()
        unplug(self.rack, tap(self.spec))


def _make_disk(directory: Path) -> None:
    disk = directory / _DISK
    run(["truncate", f"--size={_DISK_SIZE}", str(disk)])
    options = "lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0"
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-E", options, "-d", str(debian.base_root()), str(disk)])
    into_image((*kernel().files(), *_files()), disk)


def _files() -> tuple[GuestFile, ...]:
    """Return the files that the disk has beyond the packages.

    Marks keep the first boot from rebuilding caches that the packages came with, systemd-update-done(8). The last act
    before a reboot, systemd-shutdown(8), is to release the tap: the kernel restarts by executing itself, inherits
    the open tap, and could not open it again.
    """
    unplug_last = f"#!/bin/sh\nip link set {_LINK} down\n".encode()
    return (
        GuestFile("etc/.updated", b""),
        GuestFile("var/.updated", b""),
        GuestFile("usr/lib/systemd/system-shutdown/unplug", unplug_last, 0o755),
    )


DISK: Final = Artifact(
    "uml-disk",
    "making the disk of user-mode Linux machines",
    _make_disk,
    {"recipe": file_digest(Path(__file__))},
    needs=(debian.ROOT, KERNEL),
)
"""The disk that all machines of this kind are copied from."""
