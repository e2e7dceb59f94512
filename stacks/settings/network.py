"""The address plan."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from stacks.settings.types import (
    HostName,
    LoadBalancerNetwork,
    MachinesDomain,
    MachinesNetwork,
    Model,
    PodNetwork,
    ServerName,
    ServiceNetwork,
    spelled,
)


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
    what: Annotated[
        str,
        spelled(
            r"^[A-Za-z0-9 ,./_-]{1,60}$",
            "up to 60 letters, digits, spaces, commas, dots, slashes, _ and hyphens, such as PostgreSQL",
        ),
    ]
    """What answers there, for people."""


class DnsSettings(Model):
    """The gateway answers for the machines' names, and asks others for the rest."""

    domain: MachinesDomain = "flock.internal"
    """The zone of the machines' names. Nothing but machines is in it, so the site's public names must be in another.
    ICANN reserves .internal for such use."""
    upstreams: tuple[IPv4Address, ...]
    """Name servers that the gateway asks for all other names, such as the campus'. With none, `[]`, it refuses to
    answer for other names."""


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
    nodes: tuple[IPv4Network, ...] = ()
    """Parts of the machines' network that only nodes of the cluster get addresses of. Where nothing depends on who
    exactly asks, packet filters name them, and a new node changes no other node. If omitted, every node's filter names
    every node."""
    nat: bool = False
    """True where the gateway stands between a private network of the machines and the outside: what machines and pods
    send outside then carries the gateway's address, and hosts outside cannot open a connection to a machine behind it.
    Off, the gateway only routes."""
    administrators: tuple[IPv4Network, ...] = ()
    """Networks outside whose computers may begin connections to the machines behind a gateway with `nat`, as this
    program does when it runs on one of them. If omitted, it runs on the gateway or in the machines' network."""
    dns: DnsSettings | None = None
    """How machines find each other by name. If omitted, each machine has the names of all in its /etc/hosts, and keeps
    the name servers that its installation gave it."""
    openings: tuple[OpeningSettings, ...] = ()
    """Ports of the machines to open beside those that henhouse itself needs. All others are closed."""
    time_servers: tuple[ServerName, ...] = ("2.debian.pool.ntp.org",)
    """Time servers of the gateway. The other machines take the time from the gateway. Without any, all go by the
    gateway's own clock."""

    @property
    def own(self) -> Mapping[str, IPv4Network]:
        """The site's own networks, by the settings' names."""
        return {name: getattr(self, name) for name in ("machines", "pods", "services", "load_balancers")}
