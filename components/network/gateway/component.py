"""Gateway: the machine between the site and the cluster."""

import pulumi

from components.contracts.cluster import BGP_PORT, Peering
from components.contracts.machines import Machine
from components.contracts.openings import Opening, of_nodes
from components.network.gateway.roles import router_role
from converge.host_state import apply
from stacks.settings import Site


class Gateway(pulumi.ComponentResource):
    """Forwards IPv4 and peers with every node of the cluster, so that what it forwards to Services and pods arrives."""

    ready: pulumi.Resource
    """Its BGP speaker answers the nodes. Nodes that start earlier hold their routes back until it does: Calico runs
    BIRD in graceful recovery, which waits for every configured peer."""
    way_out: tuple[pulumi.Resource, ...]
    """What machines behind a gateway that translates addresses have to wait for, before they fetch anything."""
    openings: tuple[Opening, ...]

    def __init__(
        self, name: str, site: Site, peering: Peering, *, on: Machine, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("henhouse:net:Gateway", name, None, opts)
        self.ready = apply(on, router_role(site, peering), parent=self)
        self.way_out = (self.ready,) if site.network.nat else ()
        self.openings = (
            # BIRD answers only its configured neighbours.
            Opening(on.name, BGP_PORT, "tcp", of_nodes(site), "BGP"),
            Opening(on.name, 123, "udp", (site.network.machines,), "NTP"),
        )
        self.register_outputs({})
