"""Checks across settings of the network: who has which address, who asks whom for names."""

from collections.abc import Iterator

from stacks.problems import Problem
from stacks.settings import Site


def reserved_for_nodes(site: Site) -> Iterator[Problem]:
    """See to it that the addresses reserved for nodes are those of all nodes and of nobody else."""
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
                f"{host.address} is in network.nodes, and {name} is no node: packet filters would take it for one",
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
