"""How the hub and the proxy are run."""

from pulumi_kubernetes.apps.v1 import DeploymentSpecArgs, DeploymentStrategyArgs
from pulumi_kubernetes.core.v1 import (
    PodSpecArgs,
    PodTemplateSpecArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs


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
