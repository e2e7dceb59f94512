"""User servers: what the hub may do to make them, and their network policy."""

from ipaddress import IPv4Network
from typing import Final

import pulumi
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs as Egress
from pulumi_kubernetes.networking.v1 import NetworkPolicyIngressRuleArgs as Ingress
from pulumi_kubernetes.networking.v1 import NetworkPolicyPortArgs, NetworkPolicySpecArgs
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgs

from components.apps.hub.addresses import HUB_LABELS, HUB_PORT, PROXY_LABELS, PROXY_PORT, SERVER_PORT
from components.kube.policies import INTERNET, dns_egress, outside, pods_in, policy, tcp
from stacks.settings import NetworkSettings, Site
from stacks.settings.egress import EgressPolicySettings

SPAWNER_RULES: Final = (
    PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["get", "list", "watch", "create", "delete"]),
    PolicyRuleArgs(api_groups=[""], resources=["events"], verbs=["get", "list", "watch"]),
)
"""What KubeSpawner may do in the namespace of user servers: make and delete pods, and read their events."""


def servers_policy(hub: pulumi.Input[str], site: Site) -> NetworkPolicySpecArgs:
    """Return the policy of user servers: they reach DNS, the hub, the proxy, the internet, and what the site names.

    That excludes one another and the site's own networks. Homes need no rule: it is the node that mounts them.
    """
    return policy(
        {},
        ingress=[Ingress(from_=[pods_in(hub)], ports=tcp(SERVER_PORT))],
        egress=[
            dns_egress(),
            Egress(to=[pods_in(hub, {**HUB_LABELS})], ports=tcp(HUB_PORT)),
            Egress(to=[pods_in(hub, {**PROXY_LABELS})], ports=tcp(PROXY_PORT)),
            Egress(to=outside([INTERNET], own_networks(site.network))),
            *besides(site.hub.singleuser.network_policy, site),
        ],
    )


def besides(wanted: EgressPolicySettings, site: Site) -> list[Egress]:
    """Return the rules that a site adds to a policy, without its own networks and machines in them."""
    closed = (*own_networks(site.network), *site.further_addresses)
    return [
        Egress(
            to=[outside([peer.ip_block.cidr], (*closed, *peer.ip_block.excluded))[0] for peer in rule.to],
            ports=[
                NetworkPolicyPortArgs(protocol=port.protocol, port=port.port, end_port=port.end_port)
                for port in rule.ports
            ]
            or None,
        )
        for rule in wanted.egress
    ]


def own_networks(network: NetworkSettings) -> tuple[IPv4Network, ...]:
    """Return the site's own networks: no pod of the hub's or a person's has to do with them as such."""
    return tuple(network.own.values())
