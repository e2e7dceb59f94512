"""The session database's volume: a directory of one machine, which the hub is bound to run on."""

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components.hub.roles import DATABASE_PATH

SIZE: Final = "1Gi"
"""Nominal: a local volume has no quota."""


def volume_spec(
    machine: str, *, namespace: pulumi.Input[str], claim: pulumi.Input[str]
) -> k8s.core.v1.PersistentVolumeSpecArgs:
    """The directory on `machine`, kept for one claim alone."""
    here = k8s.core.v1.NodeSelectorRequirementArgs(key="kubernetes.io/hostname", operator="In", values=[machine])
    return k8s.core.v1.PersistentVolumeSpecArgs(
        capacity={"storage": SIZE},
        access_modes=["ReadWriteOnce"],
        persistent_volume_reclaim_policy="Retain",
        storage_class_name="",
        claim_ref=k8s.core.v1.ObjectReferenceArgs(
            api_version="v1", kind="PersistentVolumeClaim", namespace=namespace, name=claim
        ),
        local=k8s.core.v1.LocalVolumeSourceArgs(path=DATABASE_PATH),
        node_affinity=k8s.core.v1.VolumeNodeAffinityArgs(
            required=k8s.core.v1.NodeSelectorArgs(
                node_selector_terms=[k8s.core.v1.NodeSelectorTermArgs(match_expressions=[here])]
            )
        ),
    )


def claim_spec(volume: pulumi.Input[str]) -> k8s.core.v1.PersistentVolumeClaimSpecArgs:
    """A claim to that volume and no other."""
    return k8s.core.v1.PersistentVolumeClaimSpecArgs(
        access_modes=["ReadWriteOnce"],
        storage_class_name="",
        volume_name=volume,
        resources=k8s.core.v1.VolumeResourceRequirementsArgs(requests={"storage": SIZE}),
    )
