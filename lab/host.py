"""What the computer under the rack must have: packages, free memory, free disk."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from lab import cgroups
from lab.cache import cache_root
from lab.network import require_way_out
from lab.processes import run, run_to_the_end
from lab.progress import step
from lab.rack import Rack, RackError, size_in_bytes, state_root

PACKAGES: Final[Mapping[str, str]] = {
    "apt-utils": "apt-ftparchive, which indexes the mirror's packages",
    "bc": "constants of the user-mode kernel's clock",
    "bison": "the user-mode kernel's configuration",
    "buildah": "the mirror's container images",
    "debian-archive-keyring": "signatures of the Debian that the machines start from",
    "docker-registry": "the mirror's image registry",
    "e2fsprogs": "file systems of the virtual machines",
    "flex": "the user-mode kernel's configuration",
    "gcc": "the user-mode kernel, and the mirror's pause program and runc",
    "gnupg": "the mirror's signatures",
    "iproute2": "the rack's network",
    "kmod": "modules that machines may ask for",
    "libc6-dev": "the C library that these link",
    "libseccomp-dev": "runc's system call filter",
    "make": "the user-mode kernel",
    "mmdebstrap": "the machines' root file systems",
    "openssh-client": "sessions on the machines",
    "patch": "the user-mode kernel's patches",
    "pkg-config": "finding libseccomp",
    "procps": "ps and sysctl",
    "qemu-system-x86": "machines with a kernel of their own",
    "skopeo": "copying images into the registry",
    "systemd-container": "machines that share this computer's kernel",
    "util-linux": "nsenter and mkswap",
    "xz-utils": "the user-mode kernel's source",
}
"""Debian packages and what the rack uses them for."""

STAGE: Final = "packages"
"""Name of their installation in the table of weights."""


_APT_LOCKS: Final = ("/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock")
"""What apt-get takes; only the first has an option that waits for it (``DPkg::Lock::Timeout``)."""
_APT_SECONDS: Final = 900.0
_POLL_SECONDS: Final = 0.2


def missing(packages: Sequence[str], listing: str) -> tuple[str, ...]:
    """Which packages are not installed, by lines of ``name status`` as dpkg-query prints them."""
    installed = {line.split()[0] for line in listing.splitlines() if line.endswith(" installed")}
    return tuple(name for name in packages if name not in installed)


def absent_packages(wanted: Sequence[str] = tuple(PACKAGES)) -> tuple[str, ...]:
    """Those of the packages that are not installed on this computer."""
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *wanted]
    return missing(wanted, run(query, check=False).stdout.decode())


def install_packages(wanted: Sequence[str] = tuple(PACKAGES)) -> None:
    """Install those of the packages that are missing, without recommended ones and without asking."""
    absent = absent_packages(wanted)
    if not absent:
        return
    names = ", ".join(absent)
    require_way_out(f"installing {names}")
    check_root()
    with step(f"installing {names}", STAGE):
        _wait_for_apt()
        # An installation that was cut short (by a power cut, say) has to be completed before the next.
        _apt("dpkg", "--configure", "--pending")
        _apt("apt-get", "--quiet", "update")
        _apt("apt-get", "--quiet", "--yes", "--fix-broken", "--no-install-recommends", "install", *absent)


def _apt(*command: str) -> None:
    """Run a command of apt to its end: an installation cut short would have to be repaired by hand."""
    run_to_the_end(["env", "DEBIAN_FRONTEND=noninteractive", *command], cache_root() / "packages.log")


def _wait_for_apt() -> None:
    """Return when no other package manager holds a lock. One that an interrupted run started may still be at work."""
    deadline = time.monotonic() + _APT_SECONDS
    while held := [path for path in _APT_LOCKS if _locked(Path(path))]:
        if time.monotonic() > deadline:
            raise RackError(
                f"another package manager has held {held[0]} for {_APT_SECONDS / 60:.0f} minutes: wait for it to end "
                f"(`fuser -v {held[0]}` names it), then run the same command again"
            )
        time.sleep(_POLL_SECONDS)


def _locked(path: Path) -> bool:
    try:
        with open(path, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given back by closing the file
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        return True
    return False


def check_root() -> None:
    """Namespaces, control groups and mounts are root's."""
    if os.geteuid() != 0:
        raise RackError("the rack needs root on this computer (namespaces, control groups, mounts): use sudo")


def shortages(need: Mapping[str, int], free: Mapping[str, int]) -> tuple[str, ...]:
    """One sentence for each resource, in bytes, of which less is free than needed."""
    return tuple(
        f"{amount / 1024**3:.0f} GiB of {what} must be free, {free[what] / 1024**3:.1f} GiB are"
        for what, amount in need.items()
        if free[what] < amount
    )


def check_resources(rack: Rack) -> None:
    """`RackError` when memory or disk is short. What the rack itself already takes counts as free."""
    meminfo = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    own = sum(cgroups.memory_used(rack.namespace, machine.name) for machine in rack.machines)
    need = {"memory": size_in_bytes(rack.needs.memory)}
    free = {"memory": int(meminfo["MemAvailable"].removesuffix("kB")) * 1024 + own}
    if not rack.state.exists():
        for directory in (state_root(), cache_root()):
            directory.mkdir(parents=True, exist_ok=True)
            what = f"disk under {directory}"
            need[what], free[what] = size_in_bytes(rack.needs.disk), shutil.disk_usage(directory).free
    if problems := shortages(need, free):
        raise RackError(
            f"the rack {rack.name!r} does not fit: {'; '.join(problems)}. Free some, or point HENHOUSE_STATE and "
            "HENHOUSE_CACHE at a larger disk"
        )
