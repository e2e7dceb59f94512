"""The hub's and the proxy's pods."""

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components.hub.policies import HUB_LABELS, PROXY_LABELS
from components.hub.roles import HUB_USER
from components.hub.values import (
    CONFIG_DIRECTORY,
    DATABASE_DIRECTORY,
    HUB_PORT,
    PROXY_API_PORT,
    PROXY_PORT,
    SECRETS_DIRECTORY,
    WAIT_FOR_CLUSTER,
)
from components.pods import container_security, http_probe, on_nodes_for, pod_security
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
) -> k8s.core.v1.PodSpecArgs:
    """The hub; `config`, `keys` and `database` name its ConfigMap, Secret and PersistentVolumeClaim."""
    return k8s.core.v1.PodSpecArgs(
        service_account_name=service_account,
        enable_service_links=False,
        affinity=on_nodes_for("core"),
        security_context=pod_security(HUB_USER),
        init_containers=[
            k8s.core.v1.ContainerArgs(
                name="wait-for-cluster",
                image=settings.image,
                command=["python3", f"{CONFIG_DIRECTORY}/{WAIT_FOR_CLUSTER}"],
                resources=k8s.core.v1.ResourceRequirementsArgs(requests=HUB_REQUESTS),
                security_context=container_security(),
                volume_mounts=[k8s.core.v1.VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True)],
            )
        ],
        containers=[
            k8s.core.v1.ContainerArgs(
                name="hub",
                image=settings.image,
                args=["jupyterhub", "--config", f"{CONFIG_DIRECTORY}/jupyterhub_config.py"],
                working_dir=DATABASE_DIRECTORY,
                ports=[k8s.core.v1.ContainerPortArgs(name="http", container_port=HUB_PORT)],
                # A first start makes or migrates the database, so liveness waits for the first answer.
                startup_probe=http_probe("/hub/health", "http", period=2, failures=150),
                readiness_probe=http_probe("/hub/health", "http", period=2, failures=2),
                liveness_probe=http_probe("/hub/health", "http", period=10, failures=30),
                resources=k8s.core.v1.ResourceRequirementsArgs(requests=HUB_REQUESTS),
                security_context=container_security(),
                volume_mounts=[
                    k8s.core.v1.VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True),
                    k8s.core.v1.VolumeMountArgs(name="keys", mount_path=SECRETS_DIRECTORY, read_only=True),
                    k8s.core.v1.VolumeMountArgs(name="database", mount_path=DATABASE_DIRECTORY),
                    k8s.core.v1.VolumeMountArgs(name="tmp", mount_path="/tmp"),
                ],
            )
        ],
        volumes=[
            k8s.core.v1.VolumeArgs(name="config", config_map=k8s.core.v1.ConfigMapVolumeSourceArgs(name=config)),
            k8s.core.v1.VolumeArgs(name="keys", secret=k8s.core.v1.SecretVolumeSourceArgs(secret_name=keys)),
            k8s.core.v1.VolumeArgs(
                name="database",
                persistent_volume_claim=k8s.core.v1.PersistentVolumeClaimVolumeSourceArgs(claim_name=database),
            ),
            k8s.core.v1.VolumeArgs(name="tmp", empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs()),
        ],
    )


def proxy_pod(
    settings: HubSettings, *, hub_url: pulumi.Input[str], token: pulumi.Input[str]
) -> k8s.core.v1.PodSpecArgs:
    """The proxy; `token` names the Secret whose key `token` the hub must show."""
    return k8s.core.v1.PodSpecArgs(
        automount_service_account_token=False,
        enable_service_links=False,
        affinity=on_nodes_for("core"),
        security_context=pod_security(PROXY_USER),
        containers=[
            k8s.core.v1.ContainerArgs(
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
                    k8s.core.v1.EnvVarArgs(
                        name="CONFIGPROXY_AUTH_TOKEN",
                        value_from=k8s.core.v1.EnvVarSourceArgs(
                            secret_key_ref=k8s.core.v1.SecretKeySelectorArgs(name=token, key="token")
                        ),
                    )
                ],
                ports=[
                    k8s.core.v1.ContainerPortArgs(name="http", container_port=PROXY_PORT),
                    k8s.core.v1.ContainerPortArgs(name="api", container_port=PROXY_API_PORT),
                ],
                readiness_probe=http_probe("/_chp_healthz", "http", period=2, failures=2),
                liveness_probe=http_probe("/_chp_healthz", "http", period=10, failures=6),
                resources=k8s.core.v1.ResourceRequirementsArgs(requests={"cpu": "50m", "memory": "128Mi"}),
                security_context=container_security(),
            )
        ],
    )


def deployment(labels: dict[str, str], pod: k8s.core.v1.PodSpecArgs) -> k8s.apps.v1.DeploymentSpecArgs:
    """One pod, the old one gone before the new one starts: neither program can run twice."""
    return k8s.apps.v1.DeploymentSpecArgs(
        replicas=1,
        strategy=k8s.apps.v1.DeploymentStrategyArgs(type="Recreate"),
        selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(labels)),
        template=k8s.core.v1.PodTemplateSpecArgs(
            metadata=k8s.meta.v1.ObjectMetaArgs(labels=dict(labels)),
            spec=pod,
        ),
    )


def service(labels: dict[str, str], port: int, target: str) -> k8s.core.v1.ServiceSpecArgs:
    """The address of the pods with these labels."""
    return k8s.core.v1.ServiceSpecArgs(
        selector=dict(labels),
        ports=[k8s.core.v1.ServicePortArgs(name=target, port=port, target_port=target)],
    )


SERVICES: Final = {
    "hub": service(HUB_LABELS, HUB_PORT, "http"),
    "proxy-api": service(PROXY_LABELS, PROXY_API_PORT, "api"),
    "proxy-public": service(PROXY_LABELS, 80, "http"),
}
"""By name: the hub, the proxy and the edge find one another by these names in the cluster's DNS."""
