"""What the network's administrator needs."""

from stacks.settings import Site


def bgp(site: Site) -> dict[str, object]:
    """Return what a router beside the gateway needs in order to peer with the cluster."""
    peers = sorted(str(node.address) for node in site.nodes.values())
    return {
        "as_number": site.cluster.bgp.as_number,
        "peers": peers,
        "prefixes": [str(site.network.load_balancers)],
    }
