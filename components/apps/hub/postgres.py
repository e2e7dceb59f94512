"""A database that is another machine's: what waits for it, and the way to it."""

from typing import Final

from pulumi_kubernetes.core.v1 import ContainerArgs, ResourceRequirementsArgs, VolumeMountArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs as Egress

from components.apps.hub.servers import own_networks
from components.apps.hub.site_json import CONFIG_DIRECTORY, SECRETS_DIRECTORY, WAIT_FOR_DATABASE
from components.kube.pods import container_security
from components.kube.policies import outside, tcp
from stacks.settings import HubSettings, Site

WAITER: Final = "wait-for-database"
"""The init container."""


def waiters(settings: HubSettings, resources: ResourceRequirementsArgs) -> list[ContainerArgs]:
    """Return the container that ends when the database lets the hub in; none where the database is in the pod."""
    if not settings.db.remote:
        return []
    return [
        ContainerArgs(
            name=WAITER,
            image=settings.image,
            command=["python3", f"{CONFIG_DIRECTORY}/{WAIT_FOR_DATABASE}"],
            resources=resources,
            security_context=container_security(),
            volume_mounts=[
                VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True),
                VolumeMountArgs(name="keys", mount_path=SECRETS_DIRECTORY, read_only=True),
            ],
        )
    ]


def way_to_the_database(site: Site) -> list[Egress]:
    """Return the rule that lets the hub reach its database, none where it is in the pod."""
    database = site.hub.db
    if not database.remote:
        return []
    return [Egress(to=outside(database.reached, own_networks(site.network)), ports=tcp(database.port))]
