"""The security contexts, the placement and the probes of pods."""

from typing import Final

from pulumi_kubernetes.core.v1 import (
    AffinityArgs,
    CapabilitiesArgs,
    HTTPGetActionArgs,
    NodeAffinityArgs,
    NodeSelectorArgs,
    NodeSelectorRequirementArgs,
    NodeSelectorTermArgs,
    PodSecurityContextArgs,
    ProbeArgs,
    SeccompProfileArgs,
    SecurityContextArgs,
)

PURPOSE_LABEL: Final = "hub.jupyter.org/node-purpose"
"""Zero to JupyterHub's label of nodes; its values are those of `hosts.<name>.purpose`."""


def pod_security(user: int) -> PodSecurityContextArgs:
    """Return a pod's half of the Pod Security Standard `restricted`. Group and user have the same number."""
    return PodSecurityContextArgs(
        run_as_user=user,
        run_as_group=user,
        run_as_non_root=True,
        seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> SecurityContextArgs:
    """Return a container's half of the Pod Security Standard `restricted`; in addition, the image is read-only."""
    return SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=CapabilitiesArgs(drop=["ALL"]),
    )


def on_nodes_for(purpose: str) -> AffinityArgs:
    """Only on nodes that are for this purpose, or for any."""
    return AffinityArgs(
        node_affinity=NodeAffinityArgs(
            required_during_scheduling_ignored_during_execution=NodeSelectorArgs(
                node_selector_terms=[
                    NodeSelectorTermArgs(
                        match_expressions=[
                            NodeSelectorRequirementArgs(key=PURPOSE_LABEL, operator="In", values=[purpose, "any"])
                        ]
                    )
                ]
            )
        )
    )


def http_probe(path: str, port: str, *, period: int, failures: int) -> ProbeArgs:
    """Ask for `path` every `period` seconds; give up after so many failures in a row."""
    return ProbeArgs(
        http_get=HTTPGetActionArgs(path=path, port=port),
        period_seconds=period,
        timeout_seconds=5,
        failure_threshold=failures,
    )
