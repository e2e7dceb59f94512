"""The session database: a directory of one machine as a volume, which the hub is bound to run on."""

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

from converge.items import Script
from converge.role import Role
from stacks.settings import Site

SIZE: Final = "1Gi"
"""Nominal: a local volume has no quota."""


DATABASE_PATH: Final = "/var/lib/henhouse/hub"
"""On the machine."""


HUB_USER: Final = 1000
"""The user of Zero to JupyterHub's image (NB_UID)."""


def database_host(site: Site) -> str:
    """Return the name of the machine that keeps the session database.

    It is the machine of the settings, or the first by name that takes core pods. By name, because the
    engine hands the settings over with sorted keys: the order in the file is not known.
    """
    return site.hub.database_host or next(iter(site.workers_for("core")))


def database_directory() -> Role:
    """Return the role in which the machine has a directory for sqlite that only the hub can read.

    The directory holds people's password hashes. Its owner is a number because the account is the image's and not the
    machine's.
    """
    wanted = f"700 {HUB_USER} {HUB_USER}"
    owner_and_mode = Script(
        f"directory {DATABASE_PATH}",
        check=(
            f"found=$(stat --format='%a %u %g' {DATABASE_PATH} 2>&1) || true\n"
            f"[[ $found == '{wanted}' ]] || {{ printf '%s' \"$found\"; exit 1; }}"
        ),
        apply=f"install --directory --mode=700 --owner={HUB_USER} --group={HUB_USER} {DATABASE_PATH}",
    )
    return Role("hub-database", (owner_and_mode,))


def volume_spec(machine: str, *, namespace: pulumi.Input[str], claim: pulumi.Input[str]) -> PersistentVolumeSpecArgs:
    """Return the volume in the directory on `machine`, kept for one claim only."""
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
    """Return a claim to `volume` and to no other."""
    return PersistentVolumeClaimSpecArgs(
        access_modes=["ReadWriteOnce"],
        storage_class_name="",
        volume_name=volume,
        resources=VolumeResourceRequirementsArgs(requests={"storage": SIZE}),
    )
