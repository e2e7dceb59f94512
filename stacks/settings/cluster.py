"""Kubernetes and its network."""

from ipaddress import IPv4Address
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from stacks.settings.types import AsNumber, CertificateLifetime, DomainName, HostName, Model, spelled
from stacks.settings.urls import PublicUrl
from stacks.versions import SITE

Version = Annotated[str, spelled(r"^[0-9]+\.[0-9]+\.[0-9]+$", "a version of three numbers, such as 1.36.1")]
Sha256 = Annotated[str, spelled(r"^[0-9a-f]{64}$", "64 hexadecimal digits, as sha256sum prints them")]

MOST_FREE: Final = 50
"""In percent. With more the kubelet would evict pods from a disk that is half empty."""


def _check_free_disk(amount: str) -> str:
    if not int(amount.rstrip("%GiM")):
        raise ValueError("must be more than 0: a full disk stops all pods of the machine, not those alone that fill it")
    if amount.endswith("%") and int(amount[:-1]) > MOST_FREE:
        raise ValueError(f"must be at most {MOST_FREE}%: above that, pods are evicted from a disk that has room")
    return amount


FreeDisk = Annotated[
    str,
    spelled(r"^[0-9]{1,6}(%|Mi|Gi)$", "a percentage of the disk or a size in Mi or Gi, such as 10% or 20Gi"),
    AfterValidator(_check_free_disk),
]


PreflightCheck = Annotated[
    str,
    spelled(r"^[A-Za-z][A-Za-z0-9._-]{0,199}$", "a check as kubeadm names it, such as SystemVerification"),
]


def _all_or_some(checks: tuple[str, ...]) -> tuple[str, ...]:
    if len(checks) > 1 and "all" in (each.lower() for each in checks):
        raise ValueError("must have all alone, or the names of checks: kubeadm refuses both at once")
    return checks


class CalicoSettings(Model):
    """The pod network: routed by BGP, without encapsulation."""

    version: Version = SITE["calico"]
    """Version of Calico."""
    manifest: PublicUrl | None = None
    """Where the upstream file calico.yaml of that version is. Defaults to Calico's release manifest for that
    version."""
    manifest_sha256: Sha256 | None = None
    """Digest that the file must have. If omitted, the digest known for the default version."""

    @model_validator(mode="after")
    def _manifest_is_known(self) -> Self:
        if self.manifest_sha256 is None and self.version != SITE["calico"]:
            raise ValueError(
                f"manifest_sha256 is missing, and known here for {SITE['calico']} alone: write the digest that "
                f"`curl -L {self.source} | sha256sum` prints"
            )
        return self

    @property
    def source(self) -> str:
        """Where the manifest is."""
        release = f"https://raw.githubusercontent.com/projectcalico/calico/v{self.version}/manifests/calico.yaml"
        return str(self.manifest or release)

    @property
    def digest(self) -> str:
        """The manifest's SHA-256."""
        return self.manifest_sha256 or SITE["calico_manifest_sha256"]


class BgpSettings(Model):
    """Who announces which routes."""

    as_number: AsNumber = 64512
    """The cluster's autonomous system: all nodes are in it and mesh with each other (RFC 6996 reserves 64512 to 65534
    for private use)."""
    gateway_as_number: AsNumber = 64513
    """The gateway's autonomous system."""


class ClusterSettings(Model):
    """One Kubernetes cluster made by kubeadm."""

    name: HostName = "flock"
    """Name of the cluster, also in the kubeconfig."""
    endpoint: DomainName = "api.flock.internal"
    """The name that every node knows the API server by, written to the machines' /etc/hosts. It is a name from the
    first day, so that one control plane can become three without new certificates."""
    kubernetes_version: Version = SITE["kubernetes"]
    """Version of Kubernetes; packages are held at it."""
    calico: CalicoSettings = CalicoSettings()
    """The pod network."""
    bgp: BgpSettings = BgpSettings()
    """Routing between the nodes and the gateway."""
    certificate_lifetime: CertificateLifetime = "365d"
    """How long the certificates of the control plane last, from 20m to 365d. They are renewed when a third of that is
    left, which restarts the control plane's pods one after the other; user servers do not notice."""
    ignore_preflight_errors: Annotated[tuple[PreflightCheck, ...], AfterValidator(_all_or_some)] = ()
    """Preflight checks of kubeadm to ignore."""
    eviction_disk_available: FreeDisk = "10%"
    """The kubelet evicts pods when less than this is free on its disk (kubelet's evictionHard, nodefs.available)."""
    image_gc_high_threshold_percent: int | None = Field(default=None, ge=1, le=100)
    """The kubelet removes unused images, those that were not used for the longest time first, when its disk is fuller
    than this (kubelet's imageGCHighThresholdPercent); 100 switches that off. If omitted, a little before it would evict
    pods: 85 for the default of `eviction_disk_available`, with which it is less than 90 or 100."""
    image_gc_low_threshold_percent: int | None = Field(default=None, ge=0, le=99)
    """It removes images until the disk is not fuller than this (imageGCLowThresholdPercent). If omitted, 5 less."""
    image_maximum_gc_age: (
        Annotated[str, spelled(r"^[1-9][0-9]{0,5}h$", "whole hours, such as 720h for 30 days")] | None
    ) = None
    """The kubelet also removes images that were not used for this long, such as `720h`, however much room there is
    (imageMaximumGCAge); what the image menu still has is pulled again. If omitted, age alone removes none."""
    max_pods: int = Field(default=110, ge=10, le=500)
    """Pods per node."""
    resolvers: tuple[IPv4Address, ...] = Field(default=(), max_length=3)
    """DNS servers that pods ask for names outside the cluster, at most three. If omitted, those of the machine that a
    pod is on, except any that a pod cannot reach, such as a cache on loopback; when none is left, the program says so
    and stops."""

    @field_validator("resolvers")
    @classmethod
    def _reached_by_a_pod(cls, addresses: tuple[IPv4Address, ...]) -> tuple[IPv4Address, ...]:
        for address in addresses:
            if address.is_loopback or address.is_unspecified or address.is_multicast:
                raise ValueError(f"{address} is not an address that a pod can ask: name a DNS server of the network")
        return addresses
