"""How many of some pods may be evicted at a time."""

from pulumi_kubernetes.meta.v1 import LabelSelectorArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudgetSpecArgs


def one_at_a_time(labels: dict[str, str]) -> PodDisruptionBudgetSpecArgs:
    """Return the budget of these pods: one may go, and whichever does not work may always go.

    Nothing stricter is here: a budget that lets none go blocks every drain of the node.
    """
    return PodDisruptionBudgetSpecArgs(
        max_unavailable=1,
        unhealthy_pod_eviction_policy="AlwaysAllow",
        selector=LabelSelectorArgs(match_labels=dict(labels)),
    )
