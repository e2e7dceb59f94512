"""The network interfaces of a machine."""

from ipaddress import IPv4Address, IPv4Interface
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from stacks.settings.types import Model, spelled

SMALLEST_MTU = 1280
"""The minimum of IPv6 (RFC 8200, 5)."""


def _of_a_link(name: str) -> str:
    if name in ("lo", "all", "default"):
        raise ValueError(f"{name} is the kernel's own")
    if name.startswith(("cali", "tunl", "vxlan.calico", "wireguard.cali")):
        raise ValueError(f"{name} is Calico's")
    return name


InterfaceName = Annotated[
    str,
    spelled(
        r"^[A-Za-z][A-Za-z0-9._-]{0,14}$",
        "the name of an interface: up to 15 letters, digits, dots, _ and hyphens, such as eno1",
    ),
    AfterValidator(_of_a_link),
]
"""What the kernel calls an interface, or is to call it: at most 15 characters (IFNAMSIZ)."""


class BondSettings(Model):
    """Several cables that act as one."""

    members: tuple[InterfaceName, ...]
    """The interfaces that the cables are in. They have no addresses of their own."""
    mode: Literal["active-backup", "802.3ad", "balance-xor", "balance-rr", "balance-alb", "balance-tlb"] = (
        "active-backup"
    )
    """How they share the work. `802.3ad` (LACP) and the two first `balance` modes need the switch's consent."""


class VlanSettings(Model):
    """A virtual network of the switch."""

    id: int = Field(ge=1, le=4094)
    """Its number (IEEE 802.1Q; 0 and 4095 are reserved)."""
    on: InterfaceName
    """The interface of this machine that carries it, which must be in the list itself."""


class InterfaceSettings(Model):
    """One network interface, as systemd-networkd is to configure it."""

    addresses: tuple[IPv4Interface, ...] = ()
    """Its addresses, each with the length of its network's prefix, such as 203.0.113.10/24. The first of those in one
    network is what the machine shows to others of that network."""
    gateway: IPv4Address | None = None
    """Where everything else is, if it is on this side."""
    name_servers: tuple[IPv4Address, ...] = ()
    """Name servers of this side, for systemd-resolved where it runs."""
    mtu: int | None = Field(default=None, ge=SMALLEST_MTU, le=9216)
    """Largest packet, in bytes. If omitted, as the kernel has it: 1500. All of one network must agree."""
    bond: BondSettings | None = None
    """What it is made of, if it is several cables."""
    vlan: VlanSettings | None = None
    """What it is, if it is a virtual network on another interface."""
