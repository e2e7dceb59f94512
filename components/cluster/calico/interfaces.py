"""Calico's own network interfaces: nothing else on a machine configures them."""

from collections.abc import Iterator
from typing import Final

from converge.items import File, Item, Unit

NAMES: Final = ("cali*", "tunl*", "vxlan.calico", "vxlan-v6.calico", "wireguard.cali", "wg-v6.cali")
"""https://docs.tigera.io/calico/latest/operations/troubleshoot/troubleshooting#configure-networkmanager"""
NETWORKD_LINKS: Final = "/etc/systemd/network/00-henhouse-calico.network"
NETWORK_MANAGER: Final = "/etc/NetworkManager/conf.d/zz-henhouse-calico.conf"


def left_alone() -> Iterator[Item]:
    """Yield what keeps systemd-networkd and NetworkManager, where one of them runs, from a pod's interfaces.

    A site's file that takes every interface (`Name=*`) would otherwise take these, too: it removes their addresses and
    routes, or waits at boot until each has an address.
    """
    # The first file that matches an interface counts (systemd.network(5)).
    yield File(NETWORKD_LINKS, f"[Match]\nName={' '.join(NAMES)}\n\n[Link]\nUnmanaged=yes\n")
    # `+=`: the site may have a list of its own (NetworkManager.conf(5)).
    devices = ";".join(f"interface-name:{name}" for name in NAMES)
    yield File(NETWORK_MANAGER, f"[keyfile]\nunmanaged-devices+={devices}\n")
    for unit, path in (("systemd-networkd", NETWORKD_LINKS), ("NetworkManager", NETWORK_MANAGER)):
        yield Unit(f"{unit}.service", enabled=None, running=None, restart_on=(path,), reload=True)
