"""Module names that modprobe(8) accepts on a machine that shares this computer's kernel."""

import gzip
import os
import shutil
from pathlib import Path
from typing import Final

from lab.processes import run

_OPTIONS: Final = {
    "bridge": "BRIDGE",
    "br_netfilter": "BRIDGE_NETFILTER",
    "ip_set": "IP_SET",
    "ip_tables": "IP_NF_IPTABLES",
    "ip_vs": "IP_VS",
    "nf_conntrack": "NF_CONNTRACK",
    "nf_nat": "NF_NAT",
    "nf_tables": "NF_TABLES",
    "overlay": "OVERLAY_FS",
    "tun": "TUN",
    "veth": "VETH",
    "vxlan": "VXLAN",
}
"""Modules that a node of a cluster may ask for, and the kernel option that builds each in."""


def available(config: str, loaded: frozenset[str]) -> tuple[str, ...]:
    """Which of the modules the kernel has, by its configuration's text and the names in ``/sys/module``."""
    built_in = {line.removesuffix("=y").removeprefix("CONFIG_") for line in config.splitlines() if line.endswith("=y")}
    return tuple(name for name, option in _OPTIONS.items() if option in built_in or name in loaded)


def list_as_built_in(root: Path) -> None:
    """Give a guest the module directory of the running kernel: what the kernel has is listed as built in.

    Modules of this computer are loaded first, where there are any, because a guest may not load one.
    """
    if shutil.which("modprobe"):
        run(["modprobe", "--quiet", "--all", *_OPTIONS], check=False)
    packed = Path("/proc/config.gz")
    config = gzip.decompress(packed.read_bytes()).decode() if packed.exists() else ""
    names = available(config, frozenset(os.listdir("/sys/module")))
    directory = root / "usr/lib/modules" / os.uname().release
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "modules.builtin").write_text("".join(f"kernel/{name}.ko\n" for name in names))
    (directory / "modules.order").touch()
    run(["chroot", str(root), "depmod", os.uname().release])
