"""The machines, how they are reached, and where their packages and images come from."""

from ipaddress import IPv4Address
from typing import Literal

from pydantic import Field, SecretStr

from stacks.models.base import (
    HostKey,
    HostName,
    LoadBalancerNetwork,
    MachinesNetwork,
    Model,
    PodNetwork,
    PublicUrl,
    ServiceNetwork,
)

Purpose = Literal["core", "user"]
"""What pods are for: the hub and its proxies, or people's servers."""
Duty = Literal["gateway", "control-plane", "worker", "storage"]
"""What a machine is for. One machine has one duty, except that a small site may make its control plane a worker too."""


class Host(Model):
    """One machine with an installed Debian 13 and a running SSH server."""

    address: IPv4Address
    """Address inside the machines' network. Everything else refers to the machine by name."""
    duties: tuple[Duty, ...] = Field(min_length=1)
    """What the machine is for."""
    host_key: HostKey
    """The public ed25519 key that its SSH server must show. No connection is made without it."""
    purpose: Literal["any", "core", "user"] = "any"
    """Which pods a worker takes: `core` (hub, proxies), `user` (people's servers), or both. Becomes the node label
    `hub.jupyter.org/node-purpose`, as in Zero to JupyterHub."""
    cgroups: Literal["v1", "v2"] = "v2"
    """The kernel's control group hierarchy. Kubernetes 1.35 and later refuse v1 unless told otherwise, which `v1`
    does."""
    restrict_oom_score_adj: bool = False
    """True where the machine may not lower a process's OOM score (it is itself a container): containerd's setting of
    that name."""

    @property
    def is_control_plane(self) -> bool:
        """Whether the API server runs there."""
        return "control-plane" in self.duties

    @property
    def is_worker(self) -> bool:
        """Whether pods other than the cluster's own run there."""
        return "worker" in self.duties

    @property
    def is_node(self) -> bool:
        """Whether a kubelet runs there."""
        return self.is_control_plane or self.is_worker

    def takes(self, purpose: Purpose) -> bool:
        """Whether pods of this purpose run there."""
        return self.is_worker and self.purpose in ("any", purpose)


class Access(Model):
    """How the program logs in to the machines."""

    user: str = "root"
    """The login. It must be root: roles change the whole machine."""
    port: int = Field(default=22, ge=1, le=65535)
    """TCP port of the SSH servers."""
    private_key: SecretStr | None = None
    """OpenSSH private key. Left out, the SSH agent of whoever runs the program is asked, which keeps the key out of
    the state."""


class Network(Model):
    """The address plan. No two of the four networks may overlap."""

    machines: MachinesNetwork
    """The network that all machines are on."""
    pods: PodNetwork
    """Addresses of pods: routed without encapsulation, so they must be free in the whole site."""
    services: ServiceNetwork
    """Addresses of Kubernetes Services (ClusterIPs)."""
    load_balancers: LoadBalancerNetwork
    """Addresses of Services of type LoadBalancer, announced to the gateway by BGP."""
    time_servers: tuple[str, ...] = ("2.debian.pool.ntp.org",)
    """What the gateway takes the time from. The other machines take it from the gateway."""


class AptRepository(Model):
    """One apt source, written as deb822 (sources.list(5))."""

    url: PublicUrl
    """The repository's root."""
    suite: str
    """Suite, for example `trixie`; ends in / for a repository without components."""
    components: tuple[str, ...] = ()
    """Components, for example `main`; none when the suite ends in /."""
    signed_by: str = "/usr/share/keyrings/debian-archive-keyring.gpg"
    """Keyring file on the machines, or an armoured public key."""


class Mirrors(Model):
    """Where packages and images come from. A site behind an air gap names its own mirrors here; nothing else is ever
    asked."""

    apt: dict[HostName, AptRepository] = Field(min_length=1)
    """Every apt source of the machines, by a name of your choice. Others that an installer left are disabled."""
    registry: PublicUrl | None = None
    """A registry that holds every image under `<upstream host>/<path>`. Left out, images come from their upstream
    hosts."""
    registry_hosts: tuple[str, ...] = ("registry.k8s.io", "quay.io", "docker.io")
    """The upstream hosts that `registry` stands in for."""
