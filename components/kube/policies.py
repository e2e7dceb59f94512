"""The vocabulary of network policies."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address

import pulumi
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)


def pods_in(namespace: pulumi.Input[str], labels: dict[str, pulumi.Input[str]] | None = None) -> NetworkPolicyPeerArgs:
    """Return the peer for the pods of a namespace: all, or those with these labels."""
    return NetworkPolicyPeerArgs(
        namespace_selector=LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": namespace}),
        pod_selector=LabelSelectorArgs(match_labels=labels or {}),
    )


def machines_at(addresses: Iterable[IPv4Address]) -> list[NetworkPolicyPeerArgs]:
    """Return the peers for these machines and no others."""
    return [NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=f"{address}/32")) for address in sorted(addresses)]


def tcp(*ports: pulumi.Input[int]) -> list[NetworkPolicyPortArgs]:
    """Ports of the pods themselves: policies see a packet after the Service's address was replaced."""
    return [NetworkPolicyPortArgs(protocol="TCP", port=port) for port in ports]


def dns_egress() -> NetworkPolicyEgressRuleArgs:
    """To the cluster's DNS."""
    return NetworkPolicyEgressRuleArgs(
        to=[pods_in("kube-system", {"k8s-app": "kube-dns"})],
        ports=[NetworkPolicyPortArgs(protocol=protocol, port=53) for protocol in ("UDP", "TCP")],
    )


def policy(
    selector: dict[str, str],
    *,
    ingress: Sequence[NetworkPolicyIngressRuleArgs] = (),
    egress: Sequence[NetworkPolicyEgressRuleArgs] = (),
) -> NetworkPolicySpecArgs:
    """Return the policy by which the selected pods take and open these connections and no others.

    An empty `selector` selects every pod of a namespace.
    """
    return NetworkPolicySpecArgs(
        pod_selector=LabelSelectorArgs(match_labels=dict(selector)),
        policy_types=["Ingress", "Egress"],
        # The API server keeps no empty list.
        ingress=list(ingress) or None,
        egress=list(egress) or None,
    )
