"""The hub: its pod and its network policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ConfigMapProjectionArgs,
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    ContainerPortArgs,
    EmptyDirVolumeSourceArgs,
    KeyToPathArgs,
    PersistentVolumeClaimVolumeSourceArgs,
    PodSpecArgs,
    ProjectedVolumeSourceArgs,
    ResourceRequirementsArgs,
    SecretVolumeSourceArgs,
    VolumeArgs,
    VolumeMountArgs,
    VolumeProjectionArgs,
)
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs as Egress
from pulumi_kubernetes.networking.v1 import NetworkPolicyIngressRuleArgs as Ingress
from pulumi_kubernetes.networking.v1 import NetworkPolicyPeerArgs, NetworkPolicySpecArgs

from components.apps.hub.added import hub_environment, hub_mounts, hub_volumes
from components.apps.hub.addresses import HUB_LABELS, HUB_PORT, PROXY_API_PORT, PROXY_LABELS, SERVER_PORT
from components.apps.hub.database import HUB_USER
from components.apps.hub.pages import ANNOUNCEMENTS, PAGES_DIRECTORY, key_of, page_files
from components.apps.hub.pages_repository import fetched_volumes, fetchers, shown_mounts
from components.apps.hub.postgres import waiters
from components.apps.hub.pulling import own_pull_secrets
from components.apps.hub.site_json import CONFIG_DIRECTORY, DATABASE_DIRECTORY, SECRETS_DIRECTORY, WAIT_FOR_CLUSTER
from components.contracts.cluster import API_PORT
from components.contracts.storage import HomeProvisioner
from components.kube.pods import container_security, http_probe, on_nodes_for, pod_security
from components.kube.policies import dns_egress, machines_at, pods_in, policy, tcp
from stacks.settings import HubSettings

HUB_CPU: Final = "100m"
HUB_MEMORY: Final = "256Mi"
"""Requests of the hub where the settings say nothing."""


@dataclass(frozen=True, kw_only=True)
class HubNames:
    """The objects that the hub's pods have, by name."""

    service_account: pulumi.Input[str]
    config: pulumi.Input[str]
    """The ConfigMap of JupyterHub's configuration."""
    keys: pulumi.Input[str]
    """The Secret."""
    pages: pulumi.Input[str]
    """The ConfigMap of the pages."""
    database: pulumi.Input[str]
    """The PersistentVolumeClaim."""
    priority: pulumi.Input[str] | None = None
    """The PriorityClass, where there is one."""


def hub_pod(settings: HubSettings, names: HubNames) -> PodSpecArgs:
    """Return the hub's pod.

    Its init containers ask for what the hub asks for, so they add nothing to what the pod does.
    """
    asked = ResourceRequirementsArgs(**settings.resources.asked(cpu=HUB_CPU, memory=HUB_MEMORY))
    hub = ContainerArgs(
        name="hub",
        image=settings.image,
        args=["jupyterhub", "--config", f"{CONFIG_DIRECTORY}/jupyterhub_config.py"],
        working_dir=DATABASE_DIRECTORY,
        ports=[ContainerPortArgs(name="http", container_port=HUB_PORT)],
        # A first start makes or migrates the database, so liveness waits for the first answer.
        startup_probe=http_probe("/hub/health", "http", period=2, failures=150),
        readiness_probe=http_probe("/hub/health", "http", period=2, failures=2),
        liveness_probe=http_probe("/hub/health", "http", period=10, failures=30),
        resources=asked,
        security_context=container_security(),
        volume_mounts=configuration_mounts(settings, "database"),
        env=hub_environment(settings, names.keys) or None,
    )
    before = [wait_for_cluster(settings, asked), *waiters(settings, asked), *fetchers(settings, names.keys, asked)]
    return configured_pod(settings, names, hub, before=before, priority=names.priority)


def wait_for_cluster(settings: HubSettings, resources: ResourceRequirementsArgs | None) -> ContainerArgs:
    """Return the container that ends when the API server answers the hub's account."""
    return ContainerArgs(
        name="wait-for-cluster",
        image=settings.image,
        command=["python3", f"{CONFIG_DIRECTORY}/{WAIT_FOR_CLUSTER}"],
        resources=resources,
        security_context=container_security(),
        volume_mounts=[VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True)],
    )


def configured_pod(
    settings: HubSettings,
    names: HubNames,
    container: ContainerArgs,
    *,
    before: Sequence[ContainerArgs],
    priority: pulumi.Input[str] | None = None,
    restart_policy: str | None = None,
) -> PodSpecArgs:
    """Return a pod in which this container reads JupyterHub's configuration; `before` are its init containers.

    Whatever it runs, it is on the hub's node, as the hub's user, with the hub's volumes.
    """
    return PodSpecArgs(
        priority_class_name=priority,
        service_account_name=names.service_account,
        image_pull_secrets=own_pull_secrets(settings),
        enable_service_links=False,
        affinity=on_nodes_for("core"),
        security_context=pod_security(HUB_USER),
        init_containers=list(before),
        containers=[container],
        restart_policy=restart_policy,
        volumes=[
            VolumeArgs(name="config", config_map=ConfigMapVolumeSourceArgs(name=names.config)),
            VolumeArgs(name="keys", secret=SecretVolumeSourceArgs(secret_name=names.keys)),
            VolumeArgs(name="pages", projected=_pages(settings, names.pages)),
            VolumeArgs(
                name="database",
                persistent_volume_claim=PersistentVolumeClaimVolumeSourceArgs(claim_name=names.database),
            ),
            VolumeArgs(name="tmp", empty_dir=EmptyDirVolumeSourceArgs()),
            *fetched_volumes(settings),
            *hub_volumes(settings, names.keys),
        ],
    )


def configuration_mounts(settings: HubSettings, beside: str) -> list[VolumeMountArgs]:
    """Return where the configuration is in a container, and what a site's fragments may read.

    `beside` is the volume for the database and for what fragments write beside it.
    """
    return [
        VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True),
        VolumeMountArgs(name="keys", mount_path=SECRETS_DIRECTORY, read_only=True),
        VolumeMountArgs(name="pages", mount_path=PAGES_DIRECTORY, read_only=True),
        VolumeMountArgs(name=beside, mount_path=DATABASE_DIRECTORY),
        VolumeMountArgs(name="tmp", mount_path="/tmp"),
        *shown_mounts(settings),
        *hub_mounts(settings),
    ]


def _pages(settings: HubSettings, name: pulumi.Input[str]) -> ProjectedVolumeSourceArgs:
    """Lay the announcements beside the pages: the kubelet brings them up to date in a pod that runs, also from none."""
    items = [KeyToPathArgs(key=key_of(path), path=path) for path in page_files(settings)]
    return ProjectedVolumeSourceArgs(
        sources=[
            VolumeProjectionArgs(config_map=ConfigMapProjectionArgs(name=name, items=items)),
            VolumeProjectionArgs(config_map=ConfigMapProjectionArgs(name=ANNOUNCEMENTS, optional=True)),
        ]
    )


def hub_policy(users: pulumi.Input[str], hub: pulumi.Input[str], egress: Sequence[Egress]) -> NetworkPolicySpecArgs:
    """Return the policy that lets the proxy and user servers reach the hub."""
    return policy(
        HUB_LABELS,
        ingress=[Ingress(from_=[pods_in(hub, {**PROXY_LABELS}), pods_in(users)], ports=tcp(HUB_PORT))],
        egress=egress,
    )


def hub_egress(
    users: pulumi.Input[str],
    hub: pulumi.Input[str],
    *,
    api_servers: Sequence[IPv4Address],
    provisioner: HomeProvisioner,
    identity_providers: Sequence[NetworkPolicyPeerArgs],
    identity_ports: Sequence[int],
    elsewhere: Sequence[Egress] = (),
) -> list[Egress]:
    """Return where the hub may connect to.

    They are the proxy, user servers, the API server, the home provisioner, over HTTPS the login's identity provider,
    and `elsewhere`: the registry of the image menu and the database, where there is one.
    """
    asked = [Egress(to=list(identity_providers), ports=tcp(*identity_ports))] if identity_providers else []
    return [
        dns_egress(),
        Egress(to=[pods_in(hub, {**PROXY_LABELS})], ports=tcp(PROXY_API_PORT)),
        Egress(to=[pods_in(users)], ports=tcp(SERVER_PORT)),
        Egress(to=machines_at(api_servers), ports=tcp(API_PORT)),
        Egress(to=machines_at([provisioner.address]), ports=tcp(provisioner.port)),
        *elsewhere,
        *asked,
    ]
