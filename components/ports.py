"""What flows between components: they meet in `__main__.py` through these types and never import one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pulumi
import pulumi_kubernetes as k8s

from components.host.machine import Machine


@dataclass(frozen=True)
class KubernetesAccess:
    """A cluster that takes objects once `ready` is."""

    provider: k8s.Provider
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


@dataclass(frozen=True)
class Dataset:
    """A mounted dataset of a pool."""

    name: str
    """For example nest/homes."""
    mountpoint: str
    """For example /nest/homes."""
    mount_unit: str
    """The systemd unit that mounts it: what needs the dataset is bound to it."""
    machine: Machine
    ready: pulumi.Resource


@dataclass(frozen=True)
class HomesVolume:
    """People's homes as pods see them, and who makes a home."""

    namespace: pulumi.Output[str]
    """Where the claim is: people's servers run there."""
    claim: pulumi.Output[str]
    """Name of the PersistentVolumeClaim. A home is the directory of its owner's name in it."""
    maker_url: pulumi.Output[str]
    """`POST <maker_url>/homes/<user name>` makes a home if there is none and answers {"uid": …, "gid": …}. Mutual
    TLS."""
    maker_ca: pulumi.Output[str]
    """PEM: who signed the maker's certificate."""
    client_certificate: pulumi.Output[str]
    """PEM: whom the maker answers."""
    client_key: pulumi.Output[str]
    """PEM, secret."""
    ready: pulumi.Resource


@dataclass(frozen=True)
class Route:
    """A name that the edge answers for, and the Service behind it."""

    host: str
    namespace: pulumi.Output[str]
    service: pulumi.Output[str]
    port: int


@dataclass(frozen=True)
class ScrapeTarget:
    """Something that Prometheus asks."""

    job: str
    """Name of the job, for example node."""
    addresses: Sequence[str]
    """host:port, by address: the watch must not need the cluster's names."""
    labels: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "http"
    path: str = "/metrics"
    bearer_token: pulumi.Output[str] | None = None
    ca: pulumi.Output[str] | None = None
    """PEM: who signed the target's certificate."""
    server_name: str | None = None
    """The name in the target's certificate where it is not the address."""


class Watched(Protocol):
    """A component that can be watched."""

    @property
    def scrape(self) -> Sequence[ScrapeTarget]:
        """What Prometheus asks about it."""
