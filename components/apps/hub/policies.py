"""Who the hub's pods speak to."""

from collections.abc import Mapping

import pulumi
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs, NetworkPolicySpecArgs

from components.apps.hub.addresses import REHEARSAL_LABELS
from components.apps.hub.hub import hub_egress, hub_policy
from components.apps.hub.menu import way_to_the_registry
from components.apps.hub.pages_repository import way_to_the_pages
from components.apps.hub.postgres import way_to_the_database
from components.apps.hub.proxy import proxy_policy
from components.apps.hub.servers import besides, own_networks, servers_policy
from components.contracts.cluster import Namespaces
from components.contracts.storage import HomeProvisioner
from components.kube.policies import outside, policy
from stacks.settings import Site


def hub_policies(
    site: Site, spaces: Namespaces, provisioner: HomeProvisioner
) -> Mapping[str, tuple[pulumi.Output[str], NetworkPolicySpecArgs]]:
    """Return by name the policies of hub, proxy and user servers, each with its namespace."""
    return {
        "hub": (spaces.hub, hub_policy(spaces.users, spaces.hub, _asked(site, spaces, provisioner))),
        "proxy": (spaces.hub, proxy_policy(spaces.users, spaces.hub, spaces.edge)),
        "servers": (spaces.users, servers_policy(spaces.hub, site)),
    }


def rehearsal_policy(site: Site, spaces: Namespaces, provisioner: HomeProvisioner) -> NetworkPolicySpecArgs:
    """Return the policy of the pod that tries a configuration.

    A fragment may ask what it will ask in the hub, but for the proxy, which answers the hub alone.
    """
    return policy(REHEARSAL_LABELS, egress=_asked(site, spaces, provisioner))


def _asked(site: Site, spaces: Namespaces, provisioner: HomeProvisioner) -> list[NetworkPolicyEgressRuleArgs]:
    return hub_egress(
        spaces.users,
        spaces.hub,
        api_servers=[host.address for host in site.control_planes.values()],
        provisioner=provisioner,
        elsewhere=[
            *way_to_the_registry(site),
            *way_to_the_database(site),
            *way_to_the_pages(site),
            *besides(site.hub.network_policy, site),
        ],
        identity_providers=outside(site.hub.login.provider_networks, own_networks(site.network)),
        identity_ports=site.hub.login.provider_ports,
    )
