"""The configuration of BIRD 2, the gateway's BGP speaker (https://bird.network.cz/?get_doc&v=20)."""

from components.contracts.cluster import Peering
from components.templates import render
from stacks.settings import Site

HOLD_SECONDS = 30
"""A node that fell silent this long has its routes withdrawn. BIRD's 240 would black-hole a share of the connections
for four minutes after a power cut; both sides use the lower of their values (RFC 4271, 4.2)."""


def bird_configuration(site: Site, peering: Peering) -> str:
    """`bird.conf` of the gateway: one session with every node of the cluster.

    The nodes may announce parts of the load-balancer network and nothing else: a route to a Service's own address would
    let anyone on the campus ask the file server in a worker's name. The gateway announces
    nothing: it is the nodes' default route anyway.
    """
    network = site.network
    return render(
        __file__,
        "bird.conf",
        own=site.hosts[site.gateway].address,
        nodes=[(_symbol(name), host.address) for name, host in site.nodes.items()],
        peering=peering,
        accepted=[f"{network.load_balancers}+"],
        hold_seconds=HOLD_SECONDS,
    )


def _symbol(name: str) -> str:
    """Return a machine's name as a BIRD symbol, which may not hold a dash."""
    return f"node_{name.replace('-', '_')}"
