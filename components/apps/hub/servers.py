"""User servers: what the hub may do to make them, and their network policy."""

from ipaddress import IPv4Network, collapse_addresses
from typing import Final

import pulumi
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicySpecArgs,
)
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs as Egress
from pulumi_kubernetes.networking.v1 import NetworkPolicyIngressRuleArgs as Ingress
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgs

from components.apps.hub.addresses import HUB_LABELS, HUB_PORT, PROXY_LABELS, PROXY_PORT, SERVER_PORT
from components.kube.policies import dns_egress, pods_in, policy, tcp
from stacks.settings import NetworkSettings

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


SPAWNER_RULES: Final = (
    PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["get", "list", "watch", "create", "delete"]),
    PolicyRuleArgs(api_groups=[""], resources=["events"], verbs=["get", "list", "watch"]),
)
"""What KubeSpawner may do in the namespace of user servers: make and delete pods, and read their events."""


def servers_policy(hub: pulumi.Input[str], network: NetworkSettings) -> NetworkPolicySpecArgs:
    """Return the policy of user servers: they reach DNS, the hub, the proxy and the internet, and nothing else.

    That excludes one another and the site's own networks. Homes need no rule: it is the node that mounts them.
    """
    return policy(
        {},
        ingress=[Ingress(from_=[pods_in(hub)], ports=tcp(SERVER_PORT))],
        egress=[
            dns_egress(),
            Egress(to=[pods_in(hub, {**HUB_LABELS})], ports=tcp(HUB_PORT)),
            Egress(to=[pods_in(hub, {**PROXY_LABELS})], ports=tcp(PROXY_PORT)),
            Egress(to=[NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr="0.0.0.0/0", except_=inside(network)))]),
        ],
    )


def inside(network: NetworkSettings) -> list[str]:
    """Return the networks that are not the internet: the site's own and all private ones."""
    own = (network.machines, network.pods, network.services, network.load_balancers)
    return [str(each) for each in collapse_addresses([*own, *NOT_INTERNET])]
