"""Network interfaces in the settings: the edit of a wrong line is refused before a machine is asked."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from stacks.load import parse_settings
from stacks.problems import SettingsError
from tests.stacks.sites import changed, tree

OWN: Final = {"addresses": ["198.18.0.2/19"]}
PUBLIC: Final = {"addresses": ["203.0.113.10/24", "203.0.113.11/24"], "gateway": "203.0.113.1"}
BOND: Final = {"bond": {"members": ["eno1", "eno2"]}}

ACCEPTED: Final[Mapping[str, Mapping[str, Any]]] = {
    "a private and a public side": {"eno1": OWN, "eno2": PUBLIC},
    "jumbo frames inside": {"eno1": {**OWN, "mtu": 9000}, "eno2": PUBLIC},
    "several addresses inside": {"eno1": {"addresses": ["198.18.0.2/19", "198.18.0.3/19"], "gateway": "198.18.0.1"}},
    "both sides on one bond": {
        "bond0": {**OWN, **BOND, "mtu": 9000},
        "public": {**PUBLIC, "vlan": {"id": 4094, "on": "bond0"}, "mtu": 1500},
    },
    "an interface that only carries VLANs": {
        "eno1": {},
        "eno1.7": {**OWN, "vlan": {"id": 7, "on": "eno1"}},
        "eno1.8": {**PUBLIC, "vlan": {"id": 8, "on": "eno1"}},
    },
    "a link of two": {"eno1": OWN, "eno2": {"addresses": ["203.0.113.0/31"], "gateway": "203.0.113.1"}},
}
REJECTED: Final[Mapping[str, tuple[Mapping[str, Any], str]]] = {
    "no interface at all": ({}, "hosts.rooster.interfaces"),
    "the machine's own address missing": (
        {"eno2": PUBLIC},
        "hosts.rooster.interfaces: none has 198.18.0.2, hosts.rooster.address: the machine would be cut off",
    ),
    "its address with the length of another network": (
        {"eno1": {"addresses": ["198.18.0.2/24"]}},
        "interfaces.eno1.addresses.0: /24 is not the length of network.machines",
    ),
    "its address without a length": (
        {"eno1": {"addresses": ["198.18.0.2"]}},
        "interfaces.eno1.addresses.0: /32 is not the length of network.machines",
    ),
    "a public address on the private side": (
        {"eno1": {"addresses": ["198.18.0.2/19", "203.0.113.10/24"]}},
        "interfaces.eno1.addresses.1: 203.0.113.10 is not in network.machines, and eno1 is on the machines' side",
    ),
    "a second interface in the machines' network": (
        {"eno1": OWN, "eno2": {"addresses": ["198.18.0.3/19"]}},
        "interfaces.eno2.addresses.0: 198.18.0.3/19 reaches into network.machines",
    ),
    "an address of pods": (
        {"eno1": OWN, "eno2": {"addresses": ["198.18.64.5/30"]}},
        "198.18.64.5/30 reaches into network.pods",
    ),
    "one network on two interfaces": (
        {"eno1": OWN, "eno2": PUBLIC, "eno3": {"addresses": ["203.0.113.77/25"]}},
        "interfaces.eno3.addresses.0: 203.0.113.77/25 is in the network of 203.0.113.10/24, which is on eno2",
    ),
    "an address twice": (
        {"eno1": OWN, "eno2": {"addresses": ["203.0.113.10/24", "203.0.113.10/24"]}},
        "interfaces.eno2.addresses.1: 203.0.113.10 is also hosts.rooster.interfaces.eno2.addresses.0's",
    ),
    "another machine's address": (
        {"eno1": {"addresses": ["198.18.0.2/19", "198.18.0.101/19"]}},
        "interfaces.eno1.addresses.1: 198.18.0.101 is hosts.chick1's",
    ),
    "the network's own address": (
        {"eno1": OWN, "eno2": {"addresses": ["203.0.113.0/24"]}},
        "203.0.113.0/24 is not an address that a machine can have",
    ),
    "the broadcast address": (
        {"eno1": OWN, "eno2": {"addresses": ["203.0.113.255/24"]}},
        "203.0.113.255/24 is not an address that a machine can have",
    ),
    "two gateways": (
        {"eno1": {**OWN, "gateway": "198.18.0.1"}, "eno2": PUBLIC},
        "interfaces.eno2.gateway: is a second one beside that of eno1",
    ),
    "a gateway of another network": (
        {"eno1": OWN, "eno2": {**PUBLIC, "gateway": "198.18.0.1"}},
        "interfaces.eno2.gateway: 198.18.0.1 is in no network of eno2",
    ),
    "itself as its gateway": (
        {"eno1": OWN, "eno2": {**PUBLIC, "gateway": "203.0.113.11"}},
        "interfaces.eno2.gateway: 203.0.113.11 is this machine itself",
    ),
    "a bond of one": (
        {"bond0": {**OWN, "bond": {"members": ["eno1"]}}},
        "interfaces.bond0.bond.members: eno1: a bond joins several interfaces",
    ),
    "a bond of the same one": (
        {"bond0": {**OWN, "bond": {"members": ["eno1", "eno1"]}}},
        "interfaces.bond0.bond.members: eno1, eno1: a bond joins several interfaces",
    ),
    "a member that has addresses": (
        {"bond0": {**OWN, **BOND}, "eno2": PUBLIC},
        "interfaces.bond0.bond.members.1: eno2 is in hosts.rooster.interfaces itself",
    ),
    "a bond in itself": (
        {"bond0": {**OWN, "bond": {"members": ["bond0", "eno1"]}}},
        "interfaces.bond0.bond.members.0: bond0 is in hosts.rooster.interfaces itself",
    ),
    "a member of two bonds": (
        {"bond0": {**OWN, **BOND}, "bond1": {**PUBLIC, "bond": {"members": ["eno2", "eno3"]}}},
        "interfaces.bond1.bond.members.0: eno2 is also a member of bond0",
    ),
    "a bond that is a VLAN": (
        {"eno3": OWN, "bond0": {**PUBLIC, **BOND, "vlan": {"id": 7, "on": "eno3"}}},
        "interfaces.bond0.bond: bond0 has a vlan as well",
    ),
    "an unknown mode": (
        {"bond0": {**OWN, "bond": {"members": ["eno1", "eno2"], "mode": "lacp"}}},
        "interfaces.bond0.bond.mode: 'lacp'",
    ),
    "VLAN 0": ({"eno1": OWN, "v": {**PUBLIC, "vlan": {"id": 0, "on": "eno1"}}}, "interfaces.v.vlan.id: 0"),
    "VLAN 4095": ({"eno1": OWN, "v": {**PUBLIC, "vlan": {"id": 4095, "on": "eno1"}}}, "interfaces.v.vlan.id: 4095"),
    "a VLAN on nothing": (
        {"eno1": OWN, "v": {**PUBLIC, "vlan": {"id": 7, "on": "eno2"}}},
        "interfaces.v.vlan.on: eno2 is not an interface of hosts.rooster.interfaces",
    ),
    "a VLAN on itself": (
        {"eno1": OWN, "v": {**PUBLIC, "vlan": {"id": 7, "on": "v"}}},
        "interfaces.v.vlan.on: v is a VLAN of hosts.rooster.interfaces",
    ),
    "a VLAN twice": (
        {
            "eno1": OWN,
            "v": {**PUBLIC, "vlan": {"id": 7, "on": "eno1"}},
            "w": {"addresses": ["192.0.2.1/24"], "vlan": {"id": 7, "on": "eno1"}},
        },
        "interfaces.w.vlan.id: 7 is already v on eno1",
    ),
    "packets that do not fit": (
        {"eno1": OWN, "v": {**PUBLIC, "vlan": {"id": 7, "on": "eno1"}, "mtu": 9000}},
        "interfaces.v.mtu: 9000 is more than that of eno1, 1500",
    ),
    "packets that are too small": ({"eno1": {**OWN, "mtu": 576}}, "interfaces.eno1.mtu: 576"),
    "packets that are too large": ({"eno1": {**OWN, "mtu": 65536}}, "interfaces.eno1.mtu: 65536"),
    "an interface for nothing": ({"eno1": OWN, "eno2": {}}, "interfaces.eno2: has no addresses, and no VLAN is on it"),
    "a name that is too long": ({"a-name-of-sixteen": OWN}, "interfaces.a-name-of-sixteen"),
    "a pattern for a name": ({"en*": OWN}, "interfaces.en*"),
    "the loopback": ({"lo": OWN}, "interfaces.lo"),
    "an interface of Calico's": ({"eno1": OWN, "cali7": PUBLIC}, "interfaces.cali7"),
    "a member of Calico's": ({"bond0": {**OWN, "bond": {"members": ["eno1", "cali7"]}}}, "members.1"),
}


def settings(interfaces: Mapping[str, Any]) -> dict[str, Any]:
    return changed(tree("dev"), {"hosts": {"rooster": {"interfaces": interfaces}}})


@pytest.mark.parametrize("interfaces", ACCEPTED.values(), ids=ACCEPTED)
def test_interfaces_of_a_real_machine_are_accepted(interfaces: Mapping[str, Any]) -> None:
    assert set(parse_settings(settings(interfaces)).hosts["rooster"].interfaces) == set(interfaces)


@pytest.mark.parametrize(("interfaces", "message"), REJECTED.values(), ids=REJECTED)
def test_wrong_line_is_named(interfaces: Mapping[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(settings(interfaces))
    assert message in str(refused.value)


def test_addresses_of_two_machines_differ() -> None:
    other = {"eth0": {"addresses": ["198.18.0.101/19"]}, "eth1": {"addresses": ["203.0.113.10/24"]}}
    both = changed(settings({"eno1": OWN, "eno2": PUBLIC}), {"hosts": {"chick1": {"interfaces": other}}})
    with pytest.raises(SettingsError, match=r"203\.0\.113\.10 is also hosts\.\w+\.interfaces\.\w+\.addresses\.0's"):
        parse_settings(both)
