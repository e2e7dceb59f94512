"""Network policies of the hub. Everything that is not listed is refused, in both directions."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Final
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicySpecArgs,
)

from components.apps.hub.values import HUB_PORT, PROXY_API_PORT, PROXY_PORT, SERVER_PORT
from components.kube.policies import dns_egress, machines_at, pods_in, policy, tcp
from stacks.settings import NetworkSettings

HUB_LABELS: Final = {"app.kubernetes.io/name": "jupyterhub", "app.kubernetes.io/component": "hub"}
PROXY_LABELS: Final = {"app.kubernetes.io/name": "jupyterhub", "app.kubernetes.io/component": "proxy"}
API_SERVER_PORT: Final = 6443

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
"""Addresses that are somebody's inside, not the internet."""

Ingress = NetworkPolicyIngressRuleArgs
Egress = NetworkPolicyEgressRuleArgs


def hub_policy(
    users: pulumi.Input[str],
    hub: pulumi.Input[str],
    *,
    api_servers: Sequence[IPv4Address],
    file_server: IPv4Address,
    maker_url: pulumi.Input[str],
) -> NetworkPolicySpecArgs:
    """Ingress from the proxy and user servers. Egress to them, the API server and the home provisioner."""
    maker_port = pulumi.Output.from_input(maker_url).apply(port_of)
    return policy(
        HUB_LABELS,
        ingress=[Ingress(from_=[pods_in(hub, {**PROXY_LABELS}), pods_in(users)], ports=tcp(HUB_PORT))],
        egress=[
            dns_egress(),
            Egress(to=[pods_in(hub, {**PROXY_LABELS})], ports=tcp(PROXY_API_PORT)),
            Egress(to=[pods_in(users)], ports=tcp(SERVER_PORT)),
            Egress(to=machines_at(api_servers), ports=tcp(API_SERVER_PORT)),
            Egress(to=machines_at([file_server]), ports=tcp(maker_port)),
        ],
    )


def proxy_policy(users: pulumi.Input[str], hub: pulumi.Input[str], edge: pulumi.Input[str]) -> NetworkPolicySpecArgs:
    """The proxy: asked by the edge and people's servers, told its routes by the hub alone."""
    return policy(
        PROXY_LABELS,
        ingress=[
            Ingress(from_=[pods_in(edge), pods_in(users)], ports=tcp(PROXY_PORT)),
            Ingress(from_=[pods_in(hub, {**HUB_LABELS})], ports=tcp(PROXY_API_PORT)),
        ],
        egress=[
            dns_egress(),
            Egress(to=[pods_in(hub, {**HUB_LABELS})], ports=tcp(HUB_PORT)),
            Egress(to=[pods_in(users)], ports=tcp(SERVER_PORT)),
        ],
    )


def servers_policy(hub: pulumi.Input[str], network: NetworkSettings) -> NetworkPolicySpecArgs:
    """People's servers: DNS, the hub, the proxy and the internet. Not each other, and nothing of the site's.

    Homes need no rule: it is the node that mounts them.
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
    """What is not the internet: the site's own networks and all private ones."""
    own = (network.machines, network.pods, network.services, network.load_balancers)
    return [str(each) for each in collapse_addresses([*own, *NOT_INTERNET])]


def port_of(url: str) -> int:
    """The TCP port that a URL names or implies."""
    parts = urlsplit(url)
    return parts.port or {"http": 80, "https": 443}[parts.scheme]
