"""A directory of the file server as a volume of the cluster, and the only claim that it is bound to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    NFSVolumeSourceArgs,
    ObjectReferenceArgs,
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpecArgs,
    PersistentVolumeSpecArgs,
    VolumeResourceRequirementsArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

MOUNT_OPTIONS: Final = ("nfsvers=4.2", "proto=tcp", "hard", "noatime", "nosuid", "nodev")
"""nfs(5). `hard`: a program waits for a server that is away; it never loses what it wrote."""
TLS: Final = "xprtsec=mtls"
"""nfs(5): both sides show a certificate, or there is no mount."""
SHARE_CAPACITY: Final = "1Ti"
"""NFS does not enforce it, and a claim cannot change it: the quota of a share is its dataset's."""


@dataclass(frozen=True)
class NfsDirectory:
    """A directory of the file server."""

    server: pulumi.Output[str]
    """The address that stands for the server in the cluster."""
    path: str
    read_only: bool = False
    """Whether nodes mount it so. Not an access mode of the volume, which Kubernetes does not enforce and could not
    change: an option of the mount can be edited."""
    tls: bool = False
    """Whether nodes mount it over TLS."""
    capacity: str = SHARE_CAPACITY

    @property
    def mount_options(self) -> list[str]:
        """Options of the mount. Unlike its source, a volume's options can be edited."""
        return [*MOUNT_OPTIONS, *([TLS] if self.tls else []), *(["ro"] if self.read_only else [])]


def volume_and_claim(
    logical_name: str,
    name: str,
    namespace: pulumi.Output[str],
    directory: NfsDirectory,
    kept: pulumi.ResourceOptions,
    after: Sequence[pulumi.Resource],
) -> PersistentVolumeClaim:
    """Make a volume and its claim, both called `name` in the cluster, and return the claim.

    `kept` are the options of what outlives the program. The volume comes after the resources `after`.
    """
    volume = PersistentVolume(
        f"{logical_name}-volume",
        metadata=ObjectMetaArgs(name=name),
        spec=PersistentVolumeSpecArgs(
            capacity={"storage": directory.capacity},
            access_modes=["ReadWriteMany"],
            persistent_volume_reclaim_policy="Retain",
            storage_class_name="",
            mount_options=directory.mount_options,
            claim_ref=ObjectReferenceArgs(
                api_version="v1", kind="PersistentVolumeClaim", namespace=namespace, name=name
            ),
            nfs=NFSVolumeSourceArgs(server=directory.server, path=directory.path),
        ),
        opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=list(after))),
    )
    return PersistentVolumeClaim(
        f"{logical_name}-claim",
        metadata=ObjectMetaArgs(name=name, namespace=namespace),
        spec=PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteMany"],
            storage_class_name="",
            volume_name=volume.metadata.apply(lambda metadata: str(metadata.name)),
            resources=VolumeResourceRequirementsArgs(requests={"storage": directory.capacity}),
        ),
        opts=kept,
    )
