"""The vocabulary of network policies."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Final

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

INTERNET: Final = IPv4Network("0.0.0.0/0")
NOT_INTERNET: Final = tuple(
    IPv4Network(network)
    for network in (
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # RFC 6598
        "169.254.0.0/16",  # RFC 3927, and clouds' metadata services
        "127.0.0.0/8",
    )
)
"""Addresses inside private networks, not on the internet."""


def pods_in(namespace: pulumi.Input[str], labels: dict[str, pulumi.Input[str]] | None = None) -> NetworkPolicyPeerArgs:
    """Return the peer for the pods of a namespace: all, or those with these labels."""
    return NetworkPolicyPeerArgs(
        namespace_selector=LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": namespace}),
        pod_selector=LabelSelectorArgs(match_labels=labels or {}),
    )


def machines_at(addresses: Iterable[IPv4Address]) -> list[NetworkPolicyPeerArgs]:
    """Return the peers for these machines and no others."""
    return [NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=f"{address}/32")) for address in sorted(addresses)]


def outside(networks: Iterable[IPv4Network], own: Iterable[IPv4Network]) -> list[NetworkPolicyPeerArgs]:
    """Return the peers for these networks, without what of them is inside: the site's `own` networks and private ones.

    A network that is inside as a whole was named on purpose, and stays, without the site's own networks in it.
    """
    inner = (*own, *NOT_INTERNET)
    return [_without(wanted, [each for each in inner if each.subnet_of(wanted)]) for wanted in networks]


def _without(network: IPv4Network, inner: Iterable[IPv4Network]) -> NetworkPolicyPeerArgs:
    hidden = [str(each) for each in collapse_addresses(each for each in inner if each != network)]
    # The API server keeps no empty list.
    return NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=str(network), except_=hidden or None))


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
