"""Calico's part as data: how the upstream manifest is changed, and the objects that say how the network is.

Fields and their meaning: https://docs.tigera.io/calico/3.31/reference/resources/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from stacks.settings import Site

MANIFEST: Final = "calico.yaml"
PATCH: Final = "calico-node.yaml"
LOAD_BALANCERS_ONLY: Final = "load-balancers-only"
"""Name of the filter of routes that the gateway receives."""
MTU_LINKS: Final = "^(bond|en|eth|host|ib|team|vec|vlan|wl|ww).*"
"""Names of the links that lead to other machines, as a regular expression."""


@dataclass(frozen=True)
class CalicoObject:
    """A cluster-wide object of Calico's, as its custom resource."""

    noun: str
    """What the program calls it."""
    kind: str
    name: str
    spec: Mapping[str, Any]
    retained: bool = False
    """Kept in the cluster when the program stops managing it: running pods would lose their addresses."""


def kustomization() -> str:
    """Return the file by which `kubectl apply -k` applies the upstream manifest with our patch.

    The manifest itself stays as upstream wrote it.
    """
    return yaml.safe_dump(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [MANIFEST],
            "patches": [{"path": PATCH}],
        },
        sort_keys=False,
    )


def node_patch(site: Site) -> str:
    """Return the patch that changes calico-node as this project needs it.

    Source: https://docs.tigera.io/calico/3.31/reference/configure-calico-node and .../reference/felix/configuration
    """
    environment = {
        # No tunnels: pods' packets are routed as they are.
        "CALICO_IPV4POOL_IPIP": "Never",
        "CALICO_IPV4POOL_VXLAN": "Never",
        # The pools are objects of the program's (`calico_objects`).
        "NO_DEFAULT_POOLS": "true",
        # A machine may have other networks; the one that all machines share is the cluster's.
        "IP_AUTODETECTION_METHOD": f"cidr={site.network.machines}",
        # Pods' links get the smallest MTU of these. Felix's own list lacks bonds and the links of containers, and
        # without a match it takes 1460.
        "FELIX_MTUIFACEPATTERN": MTU_LINKS,
        # The same mode as kube-proxy's: rules of one in iptables and the other in nftables would not see each other.
        "FELIX_NFTABLESMODE": "Enabled",
    }
    container = {"name": "calico-node", "env": [{"name": name, "value": value} for name, value in environment.items()]}
    return yaml.safe_dump(
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "calico-node", "namespace": "kube-system"},
            "spec": {"template": {"spec": {"containers": [container]}}},
        },
        sort_keys=False,
    )


def calico_objects(site: Site) -> tuple[CalicoObject, ...]:
    """Return the address pools and the routing of a site.

    Nodes mesh with each other, and each also peers with the gateway. With `nextHopMode: Keep` a node passes another's
    routes on with that other node as the next hop; by default it would put itself there, and the gateway would send
    every second packet a detour.
    """
    network, bgp = site.network, site.cluster.bgp
    tunnels = {"ipipMode": "Never", "vxlanMode": "Never"}
    return (
        CalicoObject(
            "pods",
            "IPPool",
            "pods",
            {
                "cidr": str(network.pods),
                "blockSize": 26,
                **tunnels,
                # Networks outside the site have no route to a pod.
                "natOutgoing": True,
                "nodeSelector": "all()",
                "allowedUses": ["Workload", "Tunnel"],
                "assignmentMode": "Automatic",
            },
            retained=True,
        ),
        CalicoObject(
            "load-balancers",
            "IPPool",
            "load-balancers",
            {
                "cidr": str(network.load_balancers),
                "blockSize": min(32, max(26, network.load_balancers.prefixlen)),
                **tunnels,
                "nodeSelector": "all()",
                "allowedUses": ["LoadBalancer"],
                "assignmentMode": "Automatic",
            },
            retained=True,
        ),
        CalicoObject(
            "routing",
            "BGPConfiguration",
            "default",
            {
                "asNumber": bgp.as_number,
                "nodeToNodeMeshEnabled": True,
                "logSeverityScreen": "Info",
                "serviceLoadBalancerIPs": [{"cidr": str(network.load_balancers)}],
            },
        ),
        CalicoObject(
            "gateway-peer",
            "BGPPeer",
            "gateway",
            {
                "peerIP": str(site.hosts[site.gateway].address),
                "asNumber": bgp.gateway_as_number,
                "nextHopMode": "Keep",
                # Hosts outside need no route to a pod, and must have none to the file server behind a Service.
                "filters": [LOAD_BALANCERS_ONLY],
            },
        ),
        CalicoObject(
            "gateway-filter",
            "BGPFilter",
            LOAD_BALANCERS_ONLY,
            {
                "exportV4": [
                    {"action": "Accept", "matchOperator": "In", "cidr": str(network.load_balancers)},
                    {"action": "Reject"},
                ]
            },
        ),
    )
