"""What must be true of the gateway."""

from components.contracts.cluster import Peering
from components.network.gateway.bird import bird_configuration
from components.network.gateway.nat import way_out
from converge.items import File, Package, Sysctl, Unit
from converge.role import Role
from stacks.settings import Site

BIRD_CONF = "/etc/bird/bird.conf"
NETWORKD_ROUTES = "/etc/systemd/networkd.conf.d/50-foreign-routes.conf"


def router_role(site: Site, peering: Peering) -> Role:
    """Return the role in which the machine forwards IPv4, leads out, and has the cluster's routes."""
    return Role(
        "router",
        (
            Sysctl("net.ipv4.ip_forward", "1"),
            # A connection keeps to one node: the ports take part in choosing among equal next hops.
            Sysctl("net.ipv4.fib_multipath_hash_policy", "1"),
            # A next hop that does not answer ARP is skipped before BGP notices that its node is gone.
            Sysctl("net.ipv4.fib_multipath_use_neigh", "1"),
            # systemd-networkd removes routes that it did not make when it restarts (networkd.conf(5)).
            File(NETWORKD_ROUTES, "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"),
            *way_out(site),
            Package("bird2"),
            File(
                BIRD_CONF,
                bird_configuration(site, peering),
                mode="0640",
                group="bird",
                validate='bird -p -c "$NEW"',
            ),
            Unit("bird.service", restart_on=(BIRD_CONF,), reload=True),
        ),
    )
