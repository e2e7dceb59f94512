"""The session database's volume: a directory of one machine, which the hub is bound to run on."""

from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    LocalVolumeSourceArgs,
    NodeSelectorArgs,
    NodeSelectorRequirementArgs,
    NodeSelectorTermArgs,
    ObjectReferenceArgs,
    PersistentVolumeClaimSpecArgs,
    PersistentVolumeSpecArgs,
    VolumeNodeAffinityArgs,
    VolumeResourceRequirementsArgs,
)

from components.apps.hub.roles import DATABASE_PATH

SIZE: Final = "1Gi"
"""Nominal: a local volume has no quota."""


def volume_spec(machine: str, *, namespace: pulumi.Input[str], claim: pulumi.Input[str]) -> PersistentVolumeSpecArgs:
    """The directory on `machine`, kept for one claim alone."""
    here = NodeSelectorRequirementArgs(key="kubernetes.io/hostname", operator="In", values=[machine])
    return PersistentVolumeSpecArgs(
        capacity={"storage": SIZE},
        access_modes=["ReadWriteOnce"],
        persistent_volume_reclaim_policy="Retain",
        storage_class_name="",
        claim_ref=ObjectReferenceArgs(api_version="v1", kind="PersistentVolumeClaim", namespace=namespace, name=claim),
        local=LocalVolumeSourceArgs(path=DATABASE_PATH),
        node_affinity=VolumeNodeAffinityArgs(
            required=NodeSelectorArgs(node_selector_terms=[NodeSelectorTermArgs(match_expressions=[here])])
        ),
    )


def claim_spec(volume: pulumi.Input[str]) -> PersistentVolumeClaimSpecArgs:
    """A claim to that volume and no other."""
    return PersistentVolumeClaimSpecArgs(
        access_modes=["ReadWriteOnce"],
        storage_class_name="",
        volume_name=volume,
        resources=VolumeResourceRequirementsArgs(requests={"storage": SIZE}),
    )
