"""What the pods of every component share: security contexts, placement, and the vocabulary of network policies.

Arguments only; nothing here registers a resource.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

PURPOSE_LABEL: Final = "hub.jupyter.org/node-purpose"
"""Zero to JupyterHub's label of nodes; its values are those of `hosts.<name>.purpose`."""


def pod_security(user: int) -> k8s.core.v1.PodSecurityContextArgs:
    """A pod's half of the Pod Security Standard `restricted`. Group and user have the same number."""
    return k8s.core.v1.PodSecurityContextArgs(
        run_as_user=user,
        run_as_group=user,
        run_as_non_root=True,
        seccomp_profile=k8s.core.v1.SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> k8s.core.v1.SecurityContextArgs:
    """A container's half of `restricted`; beyond it, the image cannot be written to."""
    return k8s.core.v1.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=k8s.core.v1.CapabilitiesArgs(drop=["ALL"]),
    )


def on_nodes_for(purpose: str) -> k8s.core.v1.AffinityArgs:
    """Only on nodes that are for this purpose, or for any."""
    return k8s.core.v1.AffinityArgs(
        node_affinity=k8s.core.v1.NodeAffinityArgs(
            required_during_scheduling_ignored_during_execution=k8s.core.v1.NodeSelectorArgs(
                node_selector_terms=[
                    k8s.core.v1.NodeSelectorTermArgs(
                        match_expressions=[
                            k8s.core.v1.NodeSelectorRequirementArgs(
                                key=PURPOSE_LABEL, operator="In", values=[purpose, "any"]
                            )
                        ]
                    )
                ]
            )
        )
    )


def http_probe(path: str, port: str, *, period: int, failures: int) -> k8s.core.v1.ProbeArgs:
    """Ask for `path` every `period` seconds; give up after so many failures in a row."""
    return k8s.core.v1.ProbeArgs(
        http_get=k8s.core.v1.HTTPGetActionArgs(path=path, port=port),
        period_seconds=period,
        timeout_seconds=5,
        failure_threshold=failures,
    )


def pods_in(
    namespace: pulumi.Input[str], labels: dict[str, pulumi.Input[str]] | None = None
) -> k8s.networking.v1.NetworkPolicyPeerArgs:
    """The pods of a namespace: all, or those with these labels."""
    return k8s.networking.v1.NetworkPolicyPeerArgs(
        namespace_selector=k8s.meta.v1.LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": namespace}),
        pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels or {}),
    )


def machines_at(addresses: Iterable[IPv4Address]) -> list[k8s.networking.v1.NetworkPolicyPeerArgs]:
    """These machines and no others."""
    return [
        k8s.networking.v1.NetworkPolicyPeerArgs(ip_block=k8s.networking.v1.IPBlockArgs(cidr=f"{address}/32"))
        for address in sorted(addresses)
    ]


def tcp(*ports: pulumi.Input[int]) -> list[k8s.networking.v1.NetworkPolicyPortArgs]:
    """Ports of the pods themselves: policies see a packet after the Service's address was replaced."""
    return [k8s.networking.v1.NetworkPolicyPortArgs(protocol="TCP", port=port) for port in ports]


def dns_egress() -> k8s.networking.v1.NetworkPolicyEgressRuleArgs:
    """To the cluster's DNS."""
    return k8s.networking.v1.NetworkPolicyEgressRuleArgs(
        to=[pods_in("kube-system", {"k8s-app": "kube-dns"})],
        ports=[k8s.networking.v1.NetworkPolicyPortArgs(protocol=protocol, port=53) for protocol in ("UDP", "TCP")],
    )


def policy(
    selector: dict[str, str],
    *,
    ingress: Sequence[k8s.networking.v1.NetworkPolicyIngressRuleArgs] = (),
    egress: Sequence[k8s.networking.v1.NetworkPolicyEgressRuleArgs] = (),
) -> k8s.networking.v1.NetworkPolicySpecArgs:
    """The selected pods take and open these connections and no others. No labels select every pod of a namespace."""
    return k8s.networking.v1.NetworkPolicySpecArgs(
        pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(selector)),
        policy_types=["Ingress", "Egress"],
        ingress=list(ingress),
        egress=list(egress),
    )
