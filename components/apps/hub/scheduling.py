"""Which pods come first, what may be evicted, and the pods that keep room free."""

from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import ContainerArgs, PodSpecArgs, PodTemplateSpecArgs, ResourceRequirementsArgs
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget
from pulumi_kubernetes.scheduling.v1 import PriorityClass

from components.apps.hub.addresses import HUB_LABELS, PROXY_LABELS
from components.contracts.cluster import Namespaces
from components.kube.budgets import one_at_a_time
from components.kube.pods import container_security, on_nodes_for, pod_security
from stacks.settings import HubSettings
from stacks.versions import SITE

CORE_PRIORITY: Final = 10
"""Of hub and proxy. User servers have the cluster's default, which is 0."""
PLACEHOLDER_PRIORITY: Final = -10
"""As in Zero to JupyterHub."""
PLACEHOLDER_LABELS: Final = {
    "app.kubernetes.io/name": "jupyterhub",
    "app.kubernetes.io/component": "user-placeholder",
}
PAUSE: Final = f"registry.k8s.io/pause:{SITE['pause']}"
"""The image that every node has: each of its pods runs it."""
PAUSE_USER: Final = 65535
"""The user of that image."""


def core_priority(name: str, settings: HubSettings, options: pulumi.ResourceOptions) -> pulumi.Output[str] | None:
    """Make the class of hub and proxy and return its name, None where the settings want none."""
    if not settings.scheduling.pod_priority.enabled:
        return None
    what = "the hub and its proxy, without which no server can be reached"
    return _class(f"{name}-core-priority", CORE_PRIORITY, what, options)


def _class(name: str, value: int, what: str, options: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make a class. Its name is generated: a class with another value is another class."""
    made = PriorityClass(name, value=value, global_default=False, description=what, opts=options)
    named: pulumi.Output[str] = made.metadata.name
    return named


def budgets(name: str, settings: HubSettings, namespaces: Namespaces, options: pulumi.ResourceOptions) -> None:
    """Make the budgets that the settings want."""
    wanted = {"hub": (settings.pdb, HUB_LABELS), "proxy": (settings.proxy_pdb, PROXY_LABELS)}
    for whose, (budget, labels) in wanted.items():
        if budget.enabled:
            PodDisruptionBudget(
                f"{name}-{whose}-budget",
                metadata=ObjectMetaArgs(name=whose, namespace=namespaces.hub),
                spec=one_at_a_time(labels),
                opts=options,
            )


def placeholders(name: str, settings: HubSettings, namespaces: Namespaces, options: pulumi.ResourceOptions) -> None:
    """Make the pods that keep room free for user servers, where the settings want any.

    `pulumi up` does not wait for them: on a full rack they stay pending, and that is what they are for.
    """
    wanted = settings.scheduling.user_placeholder
    if not wanted.replicas:
        return
    what = "pods that keep room free until a person's server needs it"
    priority = _class(f"{name}-placeholder-priority", PLACEHOLDER_PRIORITY, what, options)
    Deployment(
        f"{name}-placeholders",
        metadata=ObjectMetaArgs(
            name="user-placeholder", namespace=namespaces.users, annotations={"pulumi.com/skipAwait": "true"}
        ),
        spec=DeploymentSpecArgs(
            replicas=wanted.replicas,
            selector=LabelSelectorArgs(match_labels=dict(PLACEHOLDER_LABELS)),
            template=PodTemplateSpecArgs(
                metadata=ObjectMetaArgs(labels=dict(PLACEHOLDER_LABELS)), spec=_placeholder(settings, priority)
            ),
        ),
        opts=options,
    )


def _placeholder(settings: HubSettings, priority: pulumi.Output[str]) -> PodSpecArgs:
    size = settings.size
    cores = f"{max(1, round(size.cpu_guarantee * 1000))}m"
    kept = settings.scheduling.user_placeholder.resources.asked(cpu=cores, memory=size.mem_guarantee)
    return PodSpecArgs(
        automount_service_account_token=False,
        enable_service_links=False,
        affinity=on_nodes_for("user"),
        priority_class_name=priority,
        termination_grace_period_seconds=0,
        security_context=pod_security(PAUSE_USER),
        containers=[
            ContainerArgs(
                name="pause",
                image=PAUSE,
                resources=ResourceRequirementsArgs(**kept),
                security_context=container_security(),
            )
        ],
    )
