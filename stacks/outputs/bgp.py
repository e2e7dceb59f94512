"""What the network's administrator wants to know of the cluster's routes."""

from stacks.settings import Site


def bgp(site: Site) -> dict[str, object]:
    """Return what the nodes announce to the gateway. No other router may connect to them: the filter lets none in."""
    peers = sorted(str(node.address) for node in site.nodes.values())
    return {
        "as_number": site.cluster.bgp.as_number,
        "peers": peers,
        "prefixes": [str(site.network.load_balancers)],
    }
