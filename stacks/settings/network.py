"""The address plan."""

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from stacks.settings.types import HostName, LoadBalancerNetwork, MachinesNetwork, Model, PodNetwork, ServiceNetwork


class OpeningSettings(Model):
    """A port of a machine on which something answers that henhouse does not know of."""

    machine: HostName
    """The machine, by its name in `hosts`."""
    port: int = Field(ge=1, le=65535)
    """The port."""
    protocol: Literal["tcp", "udp"] = "tcp"
    """The protocol."""
    sources: tuple[IPv4Network, ...] = Field(default=(IPv4Network("0.0.0.0/0"),), min_length=1)
    """Who may connect. If omitted, anyone."""
    what: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ,./_-]{1,60}$")]
    """What answers there, for people."""


class NetworkSettings(Model):
    """The address plan. No two of the four networks may overlap."""

    machines: MachinesNetwork
    """The network that all machines are on."""
    pods: PodNetwork
    """Addresses of pods: routed without encapsulation, so they must be free in the whole site."""
    services: ServiceNetwork
    """Addresses of Kubernetes Services (ClusterIPs)."""
    load_balancers: LoadBalancerNetwork
    """Addresses of Services of type LoadBalancer, announced to the gateway by BGP."""
    openings: tuple[OpeningSettings, ...] = ()
    """Ports of the machines to open beside those that henhouse itself needs. All others are closed."""
    time_servers: tuple[str, ...] = ("2.debian.pool.ntp.org",)
    """Time servers of the gateway. The other machines take the time from the gateway."""
