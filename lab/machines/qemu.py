"""Machines with a kernel of their own: QEMU, with the processor emulated (TCG), so that no hardware support is needed.

Slow, and the real thing: block devices with serial numbers, kernel modules, ZFS, NFS on both ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from lab.cache import Artifact
from lab.machines.base import RackMachine
from lab.machines.identity import identity, into_image
from lab.machines.vm_image import IMAGE, vm_image
from lab.network import inside, plug_in_tap, tap, unplug
from lab.processes import run, start
from lab.rack import MachineSpec, size_in_bytes

_LINK: Final = "eth0"
_SWAP_SIZE: Final = "64M"
_BRIDGE_SLOTS: Final = 31
_PROCESSOR: Final = "Westmere-v1,-cx16"
"""With `max`, kernels panic once in a while under QEMU 7.2 (Debian 12's): in the allocator, beside its CMPXCHG16B, with
a flags register full of other bits. That instruction is disabled, and so are AVX and BMI, which that release was the
first to emulate and which ZFS would use."""
_KERNEL_WORDS: Final = (
    *("root=/dev/vda", "rw", "console=ttyS0", "quiet", "loglevel=4", "net.ifnames=0", "panic=5"),
    # What an emulated processor cannot suffer from, or only measures slowly.
    *("mitigations=off", "no_timer_check", "tsc=reliable", "rcupdate.rcu_expedited=1"),
)


def hardware_address(spec: MachineSpec) -> str:
    """From QEMU's own range, made unlike any other of the rack by the address's last bytes."""
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in spec.address.packed[1:])


def _drive(name: str, file: Path, place: str) -> list[str]:
    """Return the options of a virtio disk that keeps what the guest flushed even when QEMU is killed.

    `name` is its serial number. The notifications of its queue go the plain way: with eventfds and event indices, a
    write to one of a pool's disks once did not end (QEMU 7.2, TCG), and the pool stood still for good.
    """
    plain = "ioeventfd=off,event_idx=off"
    backend = f"if=none,id={name},file={file},format=raw,cache=writeback,discard=unmap"
    return ["-drive", backend, "-device", f"virtio-blk-pci,drive={name},serial={name},{plain},{place}"]


def _data_disks(spec: MachineSpec, directory: Path) -> Iterator[str]:
    """Behind PCI bridges: the root bus has 32 slots, and a bridge 31 (the first is its hot-plug controller's)."""
    serials = spec.disks.serials if spec.disks else ()
    for position, serial in enumerate(serials):
        bridge, slot = divmod(position, _BRIDGE_SLOTS)
        if slot == 0:
            yield from ("-device", f"pci-bridge,id=bays{bridge},chassis_nr={bridge + 1},addr={0x10 + bridge:#x}")
        yield from _drive(serial, directory / f"{serial}.disk", f"bus=bays{bridge},addr={slot + 1:#x}")


def qemu_command(spec: MachineSpec, directory: Path) -> list[str]:
    """Return the command line that boots what `fill` put into `directory`, qemu(1).

    The console goes to standard output.
    """
    return [
        *("qemu-system-x86_64", "-name", spec.name, "-nodefaults", "-no-user-config", "-display", "none"),
        *("-accel", "tcg,thread=multi", "-cpu", _PROCESSOR, "-smp", str(spec.cpus)),
        *("-m", f"{size_in_bytes(spec.memory) // 1024**2}M"),
        *("-kernel", str(directory / "vmlinuz"), "-initrd", str(directory / "initrd.img")),
        *("-append", " ".join(_KERNEL_WORDS)),
        *("-serial", "stdio", "-device", "virtio-rng-pci"),
        *("-netdev", f"tap,id=wire,ifname={tap(spec)},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=wire,mac={hardware_address(spec)},romfile=,addr=0x4"),
        *_drive("root", directory / "root.disk", "addr=0x5"),
        *_drive("swap", directory / "swap.disk", "addr=0x6"),
        *_data_disks(spec, directory),
    ]


@dataclass(frozen=True)
class QemuMachine(RackMachine):
    """A machine of kind ``qemu``."""

    boot_seconds: ClassVar[float] = 600.0

    @property
    def needs(self) -> tuple[Artifact, ...]:
        return (IMAGE,)

    def fill(self, directory: Path) -> None:
        root, swap = directory / "root.disk", directory / "swap.disk"
        image = vm_image()
        # The kernel too: the cache may hold a newer one by the time this machine boots again with these modules.
        run(["cp", str(image.kernel), str(image.initrd), str(directory)])
        run(["cp", "--sparse=always", "--reflink=auto", str(image.disk), str(root)])
        into_image(identity(self.rack, self.spec, _LINK, self.keyring), root)
        run(["truncate", f"--size={_SWAP_SIZE}", str(swap)])
        run(["mkswap", "--label", "swap", str(swap)])
        for serial in self.spec.disks.serials if self.spec.disks else ():
            with open(directory / f"{serial}.disk", "wb") as disk:
                disk.truncate(size_in_bytes(self.spec.disks.size) if self.spec.disks else 0)

    def boot(self) -> None:
        plug_in_tap(self.rack, self.spec)
        command = inside(self.rack, qemu_command(self.spec, self.directory))
        start(self.rack, self.spec.name, command, log=self.console)

    def destroy(self) -> None:
        super().destroy()
        unplug(self.rack, tap(self.spec))
