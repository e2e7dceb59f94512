"""How the hub and the proxy are run."""

from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import DeploymentSpecArgs, DeploymentStrategyArgs
from pulumi_kubernetes.core.v1 import (
    PodSpecArgs,
    PodTemplateSpecArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs

FORCED: Final = {"pulumi.com/patchForce": "true"}
"""Lets an update win over `kubectl scale`, by which administrators stop the hub (docs/hub-database.md). Otherwise it
would end with a conflict about `.spec.replicas`, and the hub would stay away."""


def named(name: str, namespace: pulumi.Input[str]) -> ObjectMetaArgs:
    """Return the metadata of a Deployment of this name."""
    return ObjectMetaArgs(name=name, namespace=namespace, annotations=FORCED)


def deployment(labels: dict[str, str], pod: PodSpecArgs) -> DeploymentSpecArgs:
    """One pod, the old one gone before the new one starts: neither program can run twice."""
    return DeploymentSpecArgs(
        replicas=1,
        strategy=DeploymentStrategyArgs(type="Recreate"),
        selector=LabelSelectorArgs(match_labels=dict(labels)),
        template=PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(labels=dict(labels)),
            spec=pod,
        ),
    )
