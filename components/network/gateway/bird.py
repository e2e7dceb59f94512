"""The configuration of BIRD 2, the gateway's BGP speaker (https://bird.network.cz/?get_doc&v=20)."""

from components.contracts.cluster import Peering
from stacks.settings import Site

HOLD_SECONDS = 30
"""A node that fell silent this long has its routes withdrawn. BIRD's 240 would black-hole a share of the connections
for four minutes after a power cut; both sides use the lower of their values (RFC 4271, 4.2)."""


def bird_configuration(site: Site, peering: Peering) -> str:
    """`bird.conf` of the gateway: one session with every node of the cluster.

    The nodes may announce parts of the pod, service and load-balancer networks and nothing else. The gateway announces
    nothing: it is the nodes' default route anyway.
    """
    network, own = site.network, site.hosts[site.gateway].address
    accepted = ", ".join(f"{each}+" for each in (network.pods, network.services, network.load_balancers))
    sessions = "\n".join(
        f"protocol bgp {_symbol(name)} from node {{ neighbor {host.address} as {peering.nodes}; }}"
        for name, host in site.nodes.items()
    )
    return f"""\
log syslog all;
router id {own};

protocol device {{
}}

protocol kernel {{
    ipv4 {{
        import none;
        export where source = RTS_BGP;
    }};
    # One kernel route with a next hop for every node that announces the prefix.
    merge paths on;
}}

filter from_cluster {{
    if net ~ [ {accepted} ] then accept;
    reject;
}}

template bgp node {{
    local {own} as {peering.gateway};
    hold time {HOLD_SECONDS};
    connect delay time 2;
    connect retry time 10;
    error wait time 2, 30;
    ipv4 {{
        # The nodes send every path they know, with the node itself as its next hop (BGPPeer nextHopMode Keep).
        add paths rx;
        import filter from_cluster;
        export none;
    }};
}}

{sessions}
"""


def _symbol(name: str) -> str:
    """Return a machine's name as a BIRD symbol, which may not hold a dash."""
    return f"node_{name.replace('-', '_')}"
