"""The name server's files, and the machines', as text."""

from ipaddress import IPv4Address
from typing import Final

from components.templates import render
from stacks.settings import DnsSettings, Site

PORT: Final = 53
"""UDP and TCP port of names (RFC 1035, 4.2)."""


def dnsmasq_conf(site: Site, dns: DnsSettings, hosts_file: str) -> str:
    """Return the configuration of dnsmasq 2.90 and later: the machines' zones are its own, the rest is forwarded."""
    return render(
        __file__,
        "dnsmasq.conf",
        address=site.hosts[site.gateway].address,
        hosts=hosts_file,
        domain=dns.domain,
        reverse=[site.network.machines],
        upstreams=dns.upstreams,
    )


def hosts(site: Site, dns: DnsSettings) -> str:
    """Return the machines' names by address, hosts(5): the first name is the answer to the address."""
    machines = sorted(site.hosts.items(), key=lambda each: each[1].address)
    return "".join(f"{host.address} {name}.{dns.domain} {name}\n" for name, host in machines)


def resolv_conf(gateway: IPv4Address, dns: DnsSettings) -> str:
    """Return a machine's resolv.conf(5)."""
    return f"search {dns.domain}\nnameserver {gateway}\n"
