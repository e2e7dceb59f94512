"""Checks of the machines' network interfaces: a wrong line is refused before it cuts a machine off."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface
from itertools import combinations
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import HostSettings, InterfaceSettings, Site

USUAL_MTU: Final = 1500
"""Of Ethernet, where none is given."""


def own_address_on_one_interface(site: Site) -> Iterator[Problem]:
    """Refuse interfaces that lack the address by which everything refers to the machine, in the machines' network."""
    for name, host in _with_interfaces(site):
        path = f"hosts.{name}.interfaces"
        length = site.network.machines.prefixlen
        holders = [key for key, each in host.interfaces.items() if host.address in _plain(each)]
        if not holders:
            yield Problem(
                path,
                f"none has {host.address}, hosts.{name}.address: the machine would be cut off",
                accepted=f"{host.address}/{length} among the addresses of one interface",
            )
        for key in holders:
            for number, address in enumerate(host.interfaces[key].addresses):
                at = f"{path}.{key}.addresses.{number}"
                if address.ip not in site.network.machines:
                    yield Problem(
                        at,
                        f"{address.ip} is not in network.machines, and {key} is on the machines' side",
                        accepted=f"addresses of {site.network.machines}; others on another interface, such as a VLAN",
                    )
                elif address.network.prefixlen != length:
                    yield Problem(
                        at,
                        f"/{address.network.prefixlen} is not the length of network.machines",
                        accepted=f"{address.ip}/{length}",
                    )


def one_side_for_each_network(site: Site) -> Iterator[Problem]:
    """No other interface reaches into one of the site's networks, and no network is on two interfaces: answers would
    leave by the wrong one."""
    for name, host in _with_interfaces(site):
        placed = [(key, number, each) for key, number, each in _addresses(host)]
        for key, number, each in placed:
            for what, network in site.network.own.items():
                on_own_side = what == "machines" and host.address in _plain(host.interfaces[key])
                if each.network.overlaps(network) and not on_own_side:
                    yield Problem(
                        _at(name, key, number),
                        f"{each} reaches into network.{what}, {network}",
                        accepted="an address of another network",
                    )
        for (key, _, one), (other_key, number, other) in combinations(placed, 2):
            if key != other_key and one.network.overlaps(other.network):
                yield Problem(_at(name, other_key, number), f"{other} is in the network of {one}, which is on {key}")


def interface_addresses_once(site: Site) -> Iterator[Problem]:
    """Each address is one machine's, once, and one that a machine can have."""
    owner = {host.address: f"hosts.{name}" for name, host in site.hosts.items()}
    seen: dict[IPv4Address, str] = {}
    for name, host in _with_interfaces(site):
        for key, number, each in _addresses(host):
            path, holder = _at(name, key, number), owner.get(each.ip, f"hosts.{name}")
            if each.ip in seen:
                yield Problem(path, f"{each.ip} is also {seen[each.ip]}'s")
            elif holder != f"hosts.{name}":
                yield Problem(path, f"{each.ip} is {holder}'s")
            seen.setdefault(each.ip, path)
            network = each.network
            edges = (network.network_address, network.broadcast_address) if network.prefixlen < 31 else ()
            if each.ip in edges or each.ip.is_loopback or each.ip.is_multicast or each.ip.is_unspecified:
                yield Problem(path, f"{each} is not an address that a machine can have")


def one_way_out(site: Site) -> Iterator[Problem]:
    """Refuse a second default route of a machine, and one that leads to no neighbour."""
    for name, host in _with_interfaces(site):
        given = {key: each for key, each in host.interfaces.items() if each.gateway is not None}
        for key in list(given)[1:]:
            yield Problem(
                f"hosts.{name}.interfaces.{key}.gateway",
                f"is a second one beside that of {next(iter(given))}: a machine has one default route",
                accepted="one gateway for each machine",
            )
        for key, each in given.items():
            path = f"hosts.{name}.interfaces.{key}.gateway"
            if not any(each.gateway in address.network for address in each.addresses):
                yield Problem(path, f"{each.gateway} is in no network of {key}", accepted="a neighbour's address")
            elif each.gateway in {address.ip for _, _, address in _addresses(host)}:
                yield Problem(path, f"{each.gateway} is this machine itself", accepted="a neighbour's address")


def bonds(site: Site) -> Iterator[Problem]:
    """See to it that a bond has several members, which are in no other and have nothing of their own."""
    for name, host in _with_interfaces(site):
        taken: dict[str, str] = {}
        for key, each in host.interfaces.items():
            if each.bond is None:
                continue
            path, members = f"hosts.{name}.interfaces.{key}.bond", each.bond.members
            if each.vlan is not None:
                yield Problem(path, f"{key} has a vlan as well", accepted="a bond, and another interface for the VLAN")
            if len(set(members)) < 2:
                yield Problem(
                    f"{path}.members",
                    f"{', '.join(members) or 'none'}: a bond joins several interfaces",
                    accepted="two or more different ones; a single interface needs no bond",
                )
            for number, member in enumerate(members):
                at = f"{path}.members.{number}"
                if member in taken:
                    yield Problem(at, f"{member} is also a member of {taken[member]}", accepted="each interface once")
                if member in host.interfaces:
                    yield Problem(
                        at,
                        f"{member} is in hosts.{name}.interfaces itself",
                        accepted=f"addresses and the rest on {key}, and {member} here alone",
                    )
                taken.setdefault(member, key)


def vlans(site: Site) -> Iterator[Problem]:
    """See to it that a VLAN is on an interface of the list, once, and that its packets fit."""
    for name, host in _with_interfaces(site):
        owner: dict[tuple[str, int], str] = {}
        for key, each in host.interfaces.items():
            if each.vlan is None:
                continue
            path, on = f"hosts.{name}.interfaces.{key}", each.vlan.on
            carrier = host.interfaces.get(on)
            if carrier is None or carrier.vlan is not None:
                yield Problem(
                    f"{path}.vlan.on",
                    f"{on} is {'not an interface' if carrier is None else 'a VLAN'} of hosts.{name}.interfaces",
                    accepted="an interface, or a bond, of that list; it may have no addresses",
                )
                continue
            if (on, each.vlan.id) in owner:
                yield Problem(f"{path}.vlan.id", f"{each.vlan.id} is already {owner[on, each.vlan.id]} on {on}")
            owner.setdefault((on, each.vlan.id), key)
            if (each.mtu or 0) > (carrier.mtu or USUAL_MTU):
                yield Problem(
                    f"{path}.mtu",
                    f"{each.mtu} is more than that of {on}, {carrier.mtu or USUAL_MTU}",
                    accepted=f"at most the mtu of {on}",
                )


def interfaces_for_something(site: Site) -> Iterator[Problem]:
    """Refuse an interface that carries nothing: the line was meant to be another."""
    for name, host in _with_interfaces(site):
        carriers = {each.vlan.on for each in host.interfaces.values() if each.vlan}
        for key, each in host.interfaces.items():
            if not each.addresses and key not in carriers:
                yield Problem(
                    f"hosts.{name}.interfaces.{key}",
                    "has no addresses, and no VLAN is on it",
                    accepted="addresses; or leave the interface out, as henhouse then leaves it alone",
                )


CHECKS: Final[tuple[Check, ...]] = (
    own_address_on_one_interface,
    one_side_for_each_network,
    interface_addresses_once,
    one_way_out,
    bonds,
    vlans,
    interfaces_for_something,
)


def _with_interfaces(site: Site) -> Iterator[tuple[str, HostSettings]]:
    return ((name, host) for name, host in site.hosts.items() if host.interfaces)


def _addresses(host: HostSettings) -> Iterator[tuple[str, int, IPv4Interface]]:
    for key, each in host.interfaces.items():
        for number, address in enumerate(each.addresses):
            yield key, number, address


def _plain(interface: InterfaceSettings) -> set[IPv4Address]:
    return {address.ip for address in interface.addresses}


def _at(host: str, interface: str, number: int) -> str:
    return f"hosts.{host}.interfaces.{interface}.addresses.{number}"
