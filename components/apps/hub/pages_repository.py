"""The hub's pages from a git repository: what fetches them, where the hub finds them, and the way to the repository."""

from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    EmptyDirVolumeSourceArgs,
    ResourceRequirementsArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs as Egress

from components.apps.hub.added import hub_environment, hub_mounts
from components.apps.hub.pages import FETCHED_DIRECTORY, PAGES_DIRECTORY
from components.apps.hub.servers import own_networks
from components.apps.hub.site_json import CONFIG_DIRECTORY, DATABASE_DIRECTORY, FETCH_PAGES, SECRETS_DIRECTORY
from components.kube.pods import container_security
from components.kube.policies import outside, tcp
from stacks.settings import HubSettings, Site

FETCHER: Final = "fetch-pages"
"""The init container."""
VOLUME: Final = "fetched-pages"
"""Where it puts the pages of the commit that the pod was made for."""


def fetchers(
    settings: HubSettings,
    keys: pulumi.Input[str],
    resources: ResourceRequirementsArgs | None,
    *,
    rehearse: bool = False,
) -> list[ContainerArgs]:
    """Return the container that fetches the pages; none where they are not in a repository.

    `keys` names the hub's Secret. To `rehearse`, it fails where it cannot have the commit or its pages do not work.
    In the hub's own pod it ends well all the same, and the hub starts with the pages that it had.
    """
    if not settings.pages_repository:
        return []
    return [
        ContainerArgs(
            name=FETCHER,
            image=settings.image,
            command=["python3", f"{CONFIG_DIRECTORY}/{FETCH_PAGES}", "rehearse" if rehearse else "start"],
            resources=resources,
            security_context=container_security(),
            volume_mounts=[
                VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True),
                VolumeMountArgs(name="keys", mount_path=SECRETS_DIRECTORY, read_only=True),
                VolumeMountArgs(name="pages", mount_path=PAGES_DIRECTORY, read_only=True),
                VolumeMountArgs(name="database", mount_path=DATABASE_DIRECTORY),
                VolumeMountArgs(name="tmp", mount_path="/tmp"),
                VolumeMountArgs(name=VOLUME, mount_path=FETCHED_DIRECTORY),
                *hub_mounts(settings),
            ],
            # A proxy on the way to the repository is a variable of the hub's, and may name a file of the hub's.
            env=hub_environment(settings, keys) or None,
        )
    ]


def fetched_volumes(settings: HubSettings) -> list[VolumeArgs]:
    """Return the volume of what was fetched for this pod; none where the pages are not in a repository."""
    return [VolumeArgs(name=VOLUME, empty_dir=EmptyDirVolumeSourceArgs())] if settings.pages_repository else []


def shown_mounts(settings: HubSettings) -> list[VolumeMountArgs]:
    """Return where the hub finds what was fetched."""
    there = VolumeMountArgs(name=VOLUME, mount_path=FETCHED_DIRECTORY, read_only=True)
    return [there] if settings.pages_repository else []


def way_to_the_pages(site: Site) -> list[Egress]:
    """Return the rule that lets the hub reach the repository, none where its pages are not in one."""
    repository = site.hub.pages_repository
    if repository is None:
        return []
    return [Egress(to=outside(repository.networks, own_networks(site.network)), ports=tcp(repository.port))]
