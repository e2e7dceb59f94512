"""The ports of the cluster's machines (https://kubernetes.io/docs/reference/networking/ports-and-protocols/)."""

from collections.abc import Iterator
from typing import Final

from components.contracts.cluster import API_PORT, BGP_PORT
from components.contracts.openings import ANYWHERE, Opening, of_nodes, only
from stacks.settings import Site

ETCD_PORTS: Final = (2379, 2380)
KUBELET_PORT: Final = 10250
KUBE_PROXY_HEALTH_PORT: Final = 10256


def openings(site: Site) -> Iterator[Opening]:
    """Yield the ports of every node, and of every control plane those of the API server and of etcd.

    The API server is for anyone who has a certificate or a token: administrators' computers are in no setting.
    """
    # BIRD answers only its configured neighbours, and kube-proxy's health is not a secret.
    nodes = of_nodes(site)
    control_planes = only(node.address for node in site.control_planes.values())
    speakers = (*only([site.hosts[site.gateway].address]), *nodes)
    for name in site.control_planes:
        yield Opening(name, API_PORT, "tcp", ANYWHERE, "API server")
        for port in ETCD_PORTS:
            yield Opening(name, port, "tcp", control_planes, "etcd")
    for name in site.nodes:
        yield Opening(name, KUBELET_PORT, "tcp", control_planes, "kubelet")
        yield Opening(name, KUBE_PROXY_HEALTH_PORT, "tcp", nodes, "health of kube-proxy")
        yield Opening(name, BGP_PORT, "tcp", speakers, "BGP")
