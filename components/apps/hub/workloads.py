"""The hub's and the proxy's pods."""

from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import DeploymentSpecArgs, DeploymentStrategyArgs
from pulumi_kubernetes.core.v1 import (
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    ContainerPortArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    EnvVarSourceArgs,
    PersistentVolumeClaimVolumeSourceArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    ResourceRequirementsArgs,
    SecretKeySelectorArgs,
    SecretVolumeSourceArgs,
    ServicePortArgs,
    ServiceSpecArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs

from components.apps.hub.policies import HUB_LABELS, PROXY_LABELS
from components.apps.hub.roles import HUB_USER
from components.apps.hub.values import (
    CONFIG_DIRECTORY,
    DATABASE_DIRECTORY,
    HUB_PORT,
    PROXY_API_PORT,
    PROXY_PORT,
    SECRETS_DIRECTORY,
    WAIT_FOR_CLUSTER,
)
from components.kube.pods import container_security, http_probe, on_nodes_for, pod_security
from stacks.settings import HubSettings

HUB_REQUESTS: Final = {"cpu": "100m", "memory": "256Mi"}
"""Requests of the hub; the init container asks for the same, so it adds nothing to the pod's request."""
PROXY_USER: Final = 65534
"""The user of configurable-http-proxy's image (its Dockerfile)."""


def hub_pod(
    settings: HubSettings,
    *,
    service_account: pulumi.Input[str],
    config: pulumi.Input[str],
    keys: pulumi.Input[str],
    database: pulumi.Input[str],
) -> PodSpecArgs:
    """The hub; `config`, `keys` and `database` name its ConfigMap, Secret and PersistentVolumeClaim."""
    return PodSpecArgs(
        service_account_name=service_account,
        enable_service_links=False,
        affinity=on_nodes_for("core"),
        security_context=pod_security(HUB_USER),
        init_containers=[
            ContainerArgs(
                name="wait-for-cluster",
                image=settings.image,
                command=["python3", f"{CONFIG_DIRECTORY}/{WAIT_FOR_CLUSTER}"],
                resources=ResourceRequirementsArgs(requests=HUB_REQUESTS),
                security_context=container_security(),
                volume_mounts=[VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True)],
            )
        ],
        containers=[
            ContainerArgs(
                name="hub",
                image=settings.image,
                args=["jupyterhub", "--config", f"{CONFIG_DIRECTORY}/jupyterhub_config.py"],
                working_dir=DATABASE_DIRECTORY,
                ports=[ContainerPortArgs(name="http", container_port=HUB_PORT)],
                # A first start makes or migrates the database, so liveness waits for the first answer.
                startup_probe=http_probe("/hub/health", "http", period=2, failures=150),
                readiness_probe=http_probe("/hub/health", "http", period=2, failures=2),
                liveness_probe=http_probe("/hub/health", "http", period=10, failures=30),
                resources=ResourceRequirementsArgs(requests=HUB_REQUESTS),
                security_context=container_security(),
                volume_mounts=[
                    VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True),
                    VolumeMountArgs(name="keys", mount_path=SECRETS_DIRECTORY, read_only=True),
                    VolumeMountArgs(name="database", mount_path=DATABASE_DIRECTORY),
                    VolumeMountArgs(name="tmp", mount_path="/tmp"),
                ],
            )
        ],
        volumes=[
            VolumeArgs(name="config", config_map=ConfigMapVolumeSourceArgs(name=config)),
            VolumeArgs(name="keys", secret=SecretVolumeSourceArgs(secret_name=keys)),
            VolumeArgs(
                name="database",
                persistent_volume_claim=PersistentVolumeClaimVolumeSourceArgs(claim_name=database),
            ),
            VolumeArgs(name="tmp", empty_dir=EmptyDirVolumeSourceArgs()),
        ],
    )


def proxy_pod(settings: HubSettings, *, hub_url: pulumi.Input[str], token: pulumi.Input[str]) -> PodSpecArgs:
    """The proxy; `token` names the Secret whose key `token` the hub must show."""
    return PodSpecArgs(
        automount_service_account_token=False,
        enable_service_links=False,
        affinity=on_nodes_for("core"),
        security_context=pod_security(PROXY_USER),
        containers=[
            ContainerArgs(
                name="proxy",
                image=settings.proxy_image,
                command=[
                    "configurable-http-proxy",
                    "--ip=0.0.0.0",
                    f"--port={PROXY_PORT}",
                    "--api-ip=0.0.0.0",
                    f"--api-port={PROXY_API_PORT}",
                    pulumi.Output.concat("--default-target=", hub_url),
                    pulumi.Output.concat("--error-target=", hub_url, "/hub/error"),
                ],
                env=[
                    EnvVarArgs(
                        name="CONFIGPROXY_AUTH_TOKEN",
                        value_from=EnvVarSourceArgs(secret_key_ref=SecretKeySelectorArgs(name=token, key="token")),
                    )
                ],
                ports=[
                    ContainerPortArgs(name="http", container_port=PROXY_PORT),
                    ContainerPortArgs(name="api", container_port=PROXY_API_PORT),
                ],
                readiness_probe=http_probe("/_chp_healthz", "http", period=2, failures=2),
                liveness_probe=http_probe("/_chp_healthz", "http", period=10, failures=6),
                resources=ResourceRequirementsArgs(requests={"cpu": "50m", "memory": "128Mi"}),
                security_context=container_security(),
            )
        ],
    )


def deployment(labels: dict[str, str], pod: PodSpecArgs) -> DeploymentSpecArgs:
    """One pod, the old one gone before the new one starts: neither program can run twice."""
    return DeploymentSpecArgs(
        replicas=1,
        strategy=DeploymentStrategyArgs(type="Recreate"),
        selector=LabelSelectorArgs(match_labels=dict(labels)),
        template=PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(labels=dict(labels)),
            spec=pod,
        ),
    )


def service(labels: dict[str, str], port: int, target: str) -> ServiceSpecArgs:
    """The address of the pods with these labels."""
    return ServiceSpecArgs(
        selector=dict(labels),
        ports=[ServicePortArgs(name=target, port=port, target_port=target)],
    )


SERVICES: Final = {
    "hub": service(HUB_LABELS, HUB_PORT, "http"),
    "proxy-api": service(PROXY_LABELS, PROXY_API_PORT, "api"),
    "proxy-public": service(PROXY_LABELS, 80, "http"),
}
"""By name: the hub, the proxy and the edge find one another by these names in the cluster's DNS."""
