"""The site's build order, top to bottom: from bare machines to a hub that people log in to."""

import time

import pulumi

from components.apps.hub.component import Hub
from components.cluster.calico.component import CalicoCluster
from components.cluster.namespaces.component import Namespaces
from components.contracts.cluster import Membership, Peering
from components.contracts.openings import Opening
from components.machines.node import BareMetalNode
from components.network.edge.component import IngressProxy
from components.network.firewall.component import Firewall
from components.network.gateway.component import Gateway
from components.network.names.component import NameServer, Resolvers
from components.observability.monitoring.component import Monitoring
from components.storage.fileserver.component import NfsFileserver
from components.storage.fileserver.kept import refuse_to_drop_shares
from components.storage.pool.component import ZfsPool
from converge.findings import probe_if_requested
from stacks.load import load_settings
from stacks.outputs.export import export_outputs
from stacks.secrets import SiteSecrets
from stacks.versions import PULUMI

pulumi.require_pulumi_version(f">={PULUMI}")

site = load_settings()
refuse_to_drop_shares("homes", site)
secrets = SiteSecrets("secrets", site)

findings = probe_if_requested()
membership = Membership.of(site.cluster)
first = BareMetalNode(site.gateway, site, membership, findings)
rooster = first.machine
gateway = Gateway("gateway", site, Peering.of(site.cluster), on=rooster)
behind = {name: BareMetalNode(name, site, membership, findings, after=gateway.way_out) for name in site.behind_gateway}
nodes = {name: behind.get(name, first) for name in site.hosts}
machines = {name: node.machine for name, node in nodes.items()}
names = NameServer("names", site, on=rooster)

pool = ZfsPool(site.storage.pool.name, site, on=machines[site.storage.pool.host])
cluster = CalicoCluster(site.cluster.name, site, machines=machines, gateway=gateway.ready, now=time.time())
spaces = Namespaces("namespaces", cluster.access).names

homes = NfsFileserver(
    "homes",
    site,
    secrets,
    dataset=pool.homes,
    shares=pool.shares,
    machines=machines,
    cluster=cluster.access,
    namespaces=spaces,
)
hub = Hub(
    "hub",
    site,
    secrets,
    homes=homes.volume,
    shares=homes.shares,
    cluster=cluster.access,
    namespaces=spaces,
    machines=machines,
)
routes = [hub.route]
edge = IngressProxy(
    "edge", site, secrets, routes=routes, gateway=rooster, cluster=cluster.access, namespace=spaces.edge
)
of_rooms = (pool.watched, cluster.watched, homes.watched, hub.watched, edge.watched)
watched = [*(node.watched for node in nodes.values()), *of_rooms]
of_machines = (opening for node in nodes.values() for opening in node.openings)
of_the_site = (Opening.of(opening) for opening in site.network.openings)
openings = [
    *of_machines,
    *gateway.openings,
    *names.openings,
    *cluster.openings,
    *homes.openings,
    *edge.openings,
    *of_the_site,
]
monitoring = Monitoring(
    "watch",
    site,
    on=rooster,
    routes=routes,
    certificate=edge.certificate,
    watched=watched,
)
busy = [*homes.volume.ready, edge, monitoring]
firewall = Firewall("firewall", site, machines=machines, openings=openings, after=busy)
Resolvers("resolvers", site, machines=machines, after=[*names.ready, firewall.of_gateway])

export_outputs(
    site,
    secrets,
    hosts=[route.host for route in routes],
    openings=[opening.as_data() for opening in openings],
    kubeconfig=cluster.kubeconfig,
    machines={name: node.facts for name, node in nodes.items()},
)
