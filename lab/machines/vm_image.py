"""The disk image and the kernel that all virtual machines of the rack boot: bare Debian with its cloud kernel."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.cache import Artifact, file_digest
from lab.machines import debian
from lab.processes import run
from lab.versions import SITE

PACKAGES: Final = (*debian.PACKAGES, "linux-image-cloud-amd64", "initramfs-tools", "zstd", "e2fsprogs")
_ROOT_SIZE: Final = "16G"
_DRIVERS: Final = ("virtio_pci", "virtio_blk", "ext4")
_FILES: Final = {
    # The guess ("most") carries every driver there is, and an emulated processor unpacks all of them at each boot.
    "etc/initramfs-tools/modules": "".join(f"{name}\n" for name in _DRIVERS),
    "etc/initramfs-tools/conf.d/rack.conf": "MODULES=list\nCOMPRESS=zstd\nRESUME=none\n",
    "etc/fstab": "/dev/vda / ext4 rw,noatime 0 1\nLABEL=swap none swap sw,nofail 0 0\n",
}


@dataclass(frozen=True)
class Image:
    """What a virtual machine boots."""

    disk: Path
    """Raw ext4 file system without a partition table, sparse; machines boot copies of it."""
    kernel: Path
    initrd: Path
    release: str
    """The kernel's own name for itself, as ``uname -r`` prints it in the guest."""
    version: str
    """Version of the Debian package that the kernel came in."""


def _build(directory: Path) -> None:
    root = directory / "root"
    debian.bootstrap(root, PACKAGES)
    release = next((root / "usr/lib/modules").iterdir()).name
    for path, text in _FILES.items():
        (root / path).write_text(text)
    run(["chroot", str(root), "update-initramfs", "-u", "-k", release])
    (root / f"boot/vmlinuz-{release}").rename(directory / "vmlinuz")
    (root / f"boot/initrd.img-{release}").rename(directory / "initrd.img")
    query = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", "--showformat=${Version}"]
    version = run([*query, f"linux-image-{release}"]).stdout.decode()
    (directory / "kernel-version").write_text(f"{release} {version}\n")
    image = directory / "disk"
    run(["truncate", f"--size={_ROOT_SIZE}", str(image)])
    run(["mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=1,lazy_journal_init=1", "-d", str(root), str(image)])
    run(["rm", "-rf", str(root)])


IMAGE: Final = Artifact(
    "debian-vm",
    f"building the virtual machines' Debian {SITE['debian']}",
    _build,
    {**debian.recipe(PACKAGES), "image": file_digest(Path(__file__))},
)


def vm_image() -> Image:
    """Return the image, built on first use (about a minute)."""
    directory = IMAGE.make()
    release, version = (directory / "kernel-version").read_text().split()
    return Image(directory / "disk", directory / "vmlinuz", directory / "initrd.img", release, version)
