"""A cluster as the rooms on it see it, and what its machines and its gateway have to know of it before it exists."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes import Provider

from stacks.settings import ClusterSettings

API_PORT: Final = 6443
"""TCP port of the API server on every control plane (kubeadm's bindPort)."""

BGP_PORT: Final = 179
"""TCP port of the nodes' and the gateway's BGP speakers (RFC 4271)."""


@dataclass(frozen=True)
class Membership:
    """What a machine needs to join the cluster as a node."""

    endpoint: str
    """The name of the API server."""
    kubernetes_version: str
    """Version of the packages, for example 1.36.0."""

    @classmethod
    def of(cls, cluster: ClusterSettings) -> "Membership":
        """Return what the settings say."""
        return cls(cluster.endpoint, cluster.kubernetes_version)


@dataclass(frozen=True)
class Peering:
    """The two autonomous systems between which routes are announced."""

    nodes: int
    """The nodes' number."""
    gateway: int
    """The gateway's number."""

    @classmethod
    def of(cls, cluster: ClusterSettings) -> "Peering":
        """Return what the settings say."""
        return cls(cluster.bgp.as_number, cluster.bgp.gateway_as_number)


@dataclass(frozen=True)
class Namespaces:
    """The namespaces of the site's own pods, by what they are for."""

    hub: pulumi.Output[str]
    """JupyterHub and its proxy."""
    users: pulumi.Output[str]
    """User servers, and the claim on the homes."""
    edge: pulumi.Output[str]
    """The TLS proxy."""
    storage: pulumi.Output[str]
    """The file server's address: the Service that every volume names. No pod runs here."""


@dataclass(frozen=True)
class KubernetesAccess:
    """A cluster that takes objects once `ready` is."""

    provider: Provider
    ready: pulumi.Resource
    """The pod network works: pods that are made after it can start."""

    def options(self, parent: pulumi.Resource, *, protect: bool | None = None) -> pulumi.ResourceOptions:
        """Options of a Kubernetes object that is a child of `parent`; `protect` for what must outlive the program."""
        return pulumi.ResourceOptions(
            parent=parent,
            provider=self.provider,
            depends_on=[self.ready],
            protect=protect,
            retain_on_delete=protect,
        )
