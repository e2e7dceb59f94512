"""OpenZFS modules for the virtual machines' kernel, as a Debian package that the rack's mirror offers.

Debian ships OpenZFS as source that every machine compiles for itself (DKMS): minutes on a real machine, hours on an
emulated one. The rack compiles it once, natively. zfsutils-linux wants ``zfs-modules``, which both this package and
zfs-dkms provide: so machines ask for this package by its own name, which ends like that of the kernel's metapackage.
"""

import shutil
from pathlib import Path
from typing import Final

from lab.cache import Artifact, file_digest
from lab.machines import debian
from lab.machines.vm_image import IMAGE, vm_image
from lab.processes import run
from lab.rack import RackError
from lab.versions import SITE

_BUILD_PACKAGES: Final = ("dkms", "zfs-dkms", "gcc", "make", "libc6-dev", "xz-utils")
PACKAGE: Final = "zfs-modules-cloud-amd64"
_MODULES: Final = ("spl", "zfs")


def control(release: str, kernel: str, zfs: str) -> str:
    """Return the package's control file for a kernel release, a kernel package version and a zfs-dkms version."""
    return (
        f"Package: {PACKAGE}\n"
        f"Version: {zfs}+{kernel}\n"
        "Architecture: amd64\n"
        "Section: kernel\n"
        "Priority: optional\n"
        "Maintainer: henhouse lab <root@localhost>\n"
        f"Depends: linux-image-{release} (= {kernel}), kmod\n"
        "Provides: zfs-modules\n"
        "Description: OpenZFS kernel modules, compiled\n"
        f" spl and zfs of zfs-dkms {zfs}, for Linux {release}.\n"
    )


def _build(directory: Path) -> None:
    image = vm_image()
    root, tree = directory / "root", directory / "tree"
    try:
        debian.bootstrap(root, (*_BUILD_PACKAGES, f"linux-headers-{image.release}={image.version}"), "main,contrib")
    except RackError as error:
        raise RackError(
            f"could not compile OpenZFS: {error}\nIf Debian's archive has moved on from "
            f"linux-headers-{image.release} {image.version}, remove {image.disk.parent} and run `lab up` again"
        ) from error
    built = root / "usr/lib/modules" / image.release / "updates/dkms"
    missing = [name for name in _MODULES if not (built / f"{name}.ko.xz").is_file()]
    if missing:
        raise RackError(
            f"DKMS built no {' and no '.join(missing)} module; see {root}/var/lib/dkms/zfs/*/build/make.log"
        )
    query = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", "--showformat=${Version}", "zfs-dkms"]
    zfs = run(query).stdout.decode()
    shutil.copytree(built, tree / "usr/lib/modules" / image.release / "updates/dkms")
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(control(image.release, image.version, zfs))
    for script in ("postinst", "postrm"):
        (tree / "DEBIAN" / script).write_text(f"#!/bin/sh\nset -e\ndepmod --all {image.release}\n")
        (tree / "DEBIAN" / script).chmod(0o755)
    run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(directory)])
    for done_with in (root, tree):
        run(["rm", "-rf", str(done_with)])


ZFS_MODULES: Final = Artifact(
    "zfs-modules",
    "compiling OpenZFS for the virtual machines' kernel",
    _build,
    {"suite": SITE["debian"], "recipe": file_digest(Path(__file__))},
    needs=(IMAGE,),
)
"""The package, for the kernel of the virtual machines' image."""
