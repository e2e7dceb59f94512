"""The site's build order, top to bottom: from bare machines to a hub that people log in to."""

import pulumi

from components.apps.hub.component import Hub
from components.cluster.calico.component import CalicoCluster
from components.cluster.namespaces.component import Namespaces
from components.contracts.watched import Watched
from components.machines.node import BareMetalNode
from components.network.edge.component import IngressProxy
from components.network.gateway.component import Gateway
from components.observability.monitoring.component import Monitoring
from components.storage.fileserver.component import NfsFileserver
from components.storage.pool.component import ZfsPool
from converge.findings import probe_if_requested
from stacks.load import load_settings
from stacks.outputs.export import export_outputs
from stacks.secrets import SiteSecrets
from stacks.versions import PULUMI

pulumi.require_pulumi_version(f">={PULUMI}")

site = load_settings()
secrets = SiteSecrets("secrets", site)

findings = probe_if_requested()
nodes = {name: BareMetalNode(name, site, findings) for name in site.hosts}
machines = {name: node.machine for name, node in nodes.items()}
rooster = machines[site.gateway]

gateway = Gateway("gateway", site, on=rooster)
pool = ZfsPool(site.storage.pool.name, site, on=machines[site.storage.pool.host])
cluster = CalicoCluster(site.cluster.name, site, machines=machines, gateway=gateway.ready)
spaces = Namespaces("namespaces", cluster.access)

homes = NfsFileserver(
    "homes",
    site,
    secrets,
    dataset=pool.homes,
    cluster=cluster.access,
    namespace=spaces.users,
    storage_namespace=spaces.storage,
)
hub = Hub("hub", site, secrets, homes=homes.volume, cluster=cluster.access, namespaces=spaces, machines=machines)
routes = [hub.route]
edge = IngressProxy(
    "edge", site, secrets, routes=routes, gateway=rooster, cluster=cluster.access, namespace=spaces.edge
)
watched: list[Watched] = [*nodes.values(), pool, cluster, hub, edge]
Monitoring(
    "watch",
    site,
    on=rooster,
    routes=routes,
    certificate=edge.certificate,
    scrape=[target for each in watched for target in each.scrape],
)

export_outputs(site, secrets, hosts=[route.host for route in routes], kubeconfig=cluster.kubeconfig, machines=nodes)
