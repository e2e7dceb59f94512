"""Checks across settings of the network: who has which address, and who resolves names for which machines."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import combinations
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site


def reserved_for_nodes(site: Site) -> Iterator[Problem]:
    """See to it that the addresses reserved for nodes are those of all nodes and of no other machine."""
    reserved = site.network.nodes
    for number, network in enumerate(reserved):
        if not network.subnet_of(site.network.machines):
            yield Problem(
                f"network.nodes.{number}",
                f"{network} is not a part of network.machines",
                accepted=f"parts of {site.network.machines}",
            )
    for name, host in sorted(site.hosts.items()) if reserved else ():
        inside = any(host.address in network for network in reserved)
        if host.is_node and not inside:
            yield Problem(
                f"hosts.{name}.address",
                f"{host.address} is in none of network.nodes, and {name} is a node",
                accepted=", ".join(map(str, reserved)),
            )
        if inside and not host.is_node:
            yield Problem(
                f"hosts.{name}.address",
                f"{host.address} is in network.nodes, but {name} is not a node: packet filters would take it for one",
                accepted="an address outside network.nodes, or smaller parts in network.nodes",
            )


def names_that_lead_on(site: Site) -> Iterator[Problem]:
    """Refuse a name server that would ask itself, and a zone of machines that hides the site's public names."""
    dns = site.network.dns
    if dns is None:
        return
    gateways = [name for name, host in site.hosts.items() if "gateway" in host.duties]
    for number, upstream in enumerate(dns.upstreams):
        path = f"network.dns.upstreams.{number}"
        if upstream.is_loopback or any(upstream == site.hosts[name].address for name in gateways):
            yield Problem(path, f"{upstream} is the gateway itself", accepted="name servers that it may ask")
        if upstream in dns.upstreams[:number]:
            yield Problem(path, f"{upstream} is named twice", accepted="each name server once")
    public = {"domain": site.domain, "hub.host": site.hub.host}
    for path, name in public.items():
        if f".{name}".endswith(f".{dns.domain}"):
            yield Problem(
                "network.dns.domain",
                f"{dns.domain} holds {path}, {name}, which the gateway would no longer ask others for",
                accepted="a zone of the machines alone",
                write="flock.internal",
            )
            return


def administrators_of_nat(site: Site) -> Iterator[Problem]:
    """Without translation the gateway lets everyone through to the machines' own filters."""
    if site.network.administrators and not site.network.nat:
        yield Problem(
            "network.administrators",
            "is given, and network.nat is off: each machine's own packet filter says who may connect",
            accepted="network.nat: true, or no administrators",
        )


def networks_apart(site: Site) -> Iterator[Problem]:
    """Refuse networks that overlap: an address must tell which network it is in."""
    for (name, network), (other_name, other) in combinations(site.network.own.items(), 2):
        if network.overlaps(other):
            yield Problem(f"network.{other_name}", f"{other} overlaps network.{name}, {network}")


BLOCK_PREFIX: Final = 26
"""Calico gives addresses to nodes in blocks of 64."""


def pods_for_every_node(site: Site) -> Iterator[Problem]:
    """Calico gives each node whole blocks; a node that gets none starts no pod."""
    nodes = site.nodes
    pods = site.network.pods
    need = len(nodes) * -(-site.cluster.max_pods // 2 ** (32 - BLOCK_PREFIX))
    blocks = 2 ** (BLOCK_PREFIX - pods.prefixlen)
    if blocks < need:
        smallest = BLOCK_PREFIX - (need - 1).bit_length()
        yield Problem(
            "network.pods",
            f"{pods} has {blocks} blocks of 64 addresses, and {len(nodes)} nodes of {site.cluster.max_pods} pods "
            f"take {need}",
            accepted=f"a network of /{smallest} or larger, or a smaller cluster.max_pods",
        )


def addresses_of_hosts(site: Site) -> Iterator[Problem]:
    """Every machine has an address of its own in the machines' network."""
    owner: dict[IPv4Address, str] = {}
    for name, host in site.hosts.items():
        path = f"hosts.{name}.address"
        network = site.network.machines
        if host.address not in network or host.address in (network.network_address, network.broadcast_address):
            yield Problem(path, f"{host.address} is not a usable address in network.machines", accepted=str(network))
        if host.address in owner:
            yield Problem(path, f"{host.address} is also {owner[host.address]}'s")
        owner.setdefault(host.address, name)


def addresses_in_their_networks(site: Site) -> Iterator[Problem]:
    """Addresses that settings choose are free ones of the right network."""
    balanced, services = site.network.load_balancers, site.network.services
    if site.edge.load_balancer_address not in balanced:
        yield Problem(
            "edge.load_balancer_address",
            f"{site.edge.load_balancer_address} is not in network.load_balancers",
            accepted=str(balanced),
            write=str(balanced[min(10, balanced.num_addresses - 1)]),
        )
    chosen = site.storage.homes.service_address
    path = "storage.homes.service_address"
    if chosen is not None and chosen not in services:
        yield Problem(path, f"{chosen} is not in network.services", accepted=str(services), write=str(services[20]))
    elif chosen in (services[1], services[10]):
        yield Problem(path, f"{chosen} belongs to Kubernetes itself (its API or its DNS)", write=str(services[20]))
    elif chosen in (services[0], services[-1]):
        yield Problem(path, f"{chosen} is the first or the last address of {services}", write=str(services[20]))


def openings_on_hosts(site: Site) -> Iterator[Problem]:
    """See to it that the machines whose ports the site opens exist."""
    for number, opening in enumerate(site.network.openings):
        if opening.machine not in site.hosts:
            yield Problem(
                f"network.openings.{number}.machine",
                f"{opening.machine} is not one of the hosts",
                accepted=", ".join(sorted(site.hosts)),
            )
        ports = [(each.machine, each.protocol, each.port) for each in site.network.openings[:number]]
        if (opening.machine, opening.protocol, opening.port) in ports:
            yield Problem(
                f"network.openings.{number}.port",
                f"{opening.protocol} port {opening.port} of {opening.machine} is opened twice",
                accepted="one opening for each port, with all its sources",
            )


CHECKS: Final[tuple[Check, ...]] = (
    networks_apart,
    pods_for_every_node,
    addresses_of_hosts,
    addresses_in_their_networks,
    openings_on_hosts,
    reserved_for_nodes,
    names_that_lead_on,
    administrators_of_nat,
)
