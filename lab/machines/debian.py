"""The bare Debian that every machine of the rack starts from, as a site's netboot would leave it."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lab.cache import Artifact, file_digest
from lab.processes import ALONE, run
from lab.versions import SITE

PACKAGES: Final = (
    *("systemd", "systemd-sysv", "udev", "dbus", "kmod", "procps", "openssh-server", "iproute2", "iputils-ping"),
    *("python3-minimal", "netbase", "ca-certificates", "less"),
)
"""Without libpam-systemd: a user manager for each SSH session costs seconds where the processor is emulated."""

_MASKED: Final = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer", "e2scrub_all.timer"),
    *("e2scrub_reap.service", "getty@.service", "serial-getty@.service", "console-getty.service"),
    "sshd-keygen.service",  # an RSA key takes an emulated processor half a minute, and is never used
)
_FILES: Final = {
    # A machine without swap must not wait for it at boot.
    "etc/fstab": "LABEL=swap none swap sw,nofail 0 0\n",
    "etc/apt/sources.list": "",
    "etc/resolv.conf": "",
    "etc/ssh/sshd_config.d/host-key.conf": "HostKey /etc/ssh/ssh_host_ed25519_key\n",
    # A routing daemon's routes are not networkd's to remove.
    "etc/systemd/networkd.conf.d/foreign.conf": (
        "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"
    ),
}


def source() -> str:
    """Address of the Debian archive that this computer is configured to use; Debian's own when it names none."""
    listed = run(["apt-get", "indextargets", "--format", "$(LABEL) $(COMPONENT) $(REPO_URI)"]).stdout.decode()
    for line in listed.splitlines():
        label, component, address = line.rsplit(" ", 2)
        if (label, component) == ("Debian", "main"):
            return address
    return "http://deb.debian.org/debian"


def bootstrap(root: Path, packages: Iterable[str], components: str = "main") -> None:
    """Make a minimal root file system with these packages in the directory `root`, which must not exist.

    Raise RackError with mmdebstrap's message when it fails.
    """
    include = f"--include={','.join(packages)}"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--components={components}", include]
    run([*ALONE, *command, SITE["debian"], str(root), source()])
    make_bare(root)


def make_bare(root: Path) -> None:
    """Remove what one machine must not share with the next, and what only costs time in a rack without people."""
    for unwanted in (*root.glob("etc/ssh/ssh_host_*"), root / "etc/hostname", root / "etc/machine-id"):
        unwanted.unlink(missing_ok=True)
    for path, text in _FILES.items():
        target = root / path
        target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    for directory in ("etc", "var"):  # nothing to bring up to date at the first boot, systemd-update-done.service(8)
        (root / directory / ".updated").touch()
    run(["systemctl", f"--root={root}", "enable", "--quiet", "systemd-networkd.service"])
    run(["systemctl", f"--root={root}", "mask", "--quiet", *_MASKED])
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)


def recipe(packages: Iterable[str]) -> dict[str, object]:
    """Return what decides the content of a root file system of this module, as inputs of an artifact."""
    return {"suite": SITE["debian"], "packages": sorted(packages), "recipe": file_digest(Path(__file__))}


ROOT: Final = Artifact(
    "debian-root",
    f"building a bare Debian {SITE['debian']}",
    lambda directory: bootstrap(directory / "root", PACKAGES),
    recipe(PACKAGES),
)


def base_root() -> Path:
    """Return the root file system that machines without a kernel package of their own are copied from."""
    return ROOT.make() / "root"
