"""Gateway: the machine between the site and the cluster."""

import pulumi

from components.contracts.machines import Machine
from components.network.gateway.roles import router_role
from converge.host_state import apply
from stacks.settings import Site


class Gateway(pulumi.ComponentResource):
    """Forwards IPv4 and peers with every node of the cluster, so that what it forwards to Services and pods arrives."""

    ready: pulumi.Resource
    """Its BGP speaker answers the nodes. Nodes that start earlier hold their routes back until it does: Calico runs
    BIRD in graceful recovery, which waits for every configured peer."""

    def __init__(self, name: str, site: Site, *, on: Machine, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("henhouse:net:Gateway", name, None, opts)
        self.ready = apply(on, router_role(site), parent=self)
        self.register_outputs({})
