"""The TLS proxy's pods, and who may reach them."""

from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components.ingress.config import CERTIFICATE_DIRECTORY, CONFIG_DIRECTORY
from components.pods import (
    container_security,
    dns_egress,
    http_probe,
    machines_at,
    on_nodes_for,
    pod_security,
    pods_in,
    policy,
    tcp,
)

LABELS: Final = {"app.kubernetes.io/name": "nginx", "app.kubernetes.io/component": "edge"}
NGINX_USER: Final = 101
"""The user nginx of the image."""
HTTP_PORT: Final = 8080
HTTPS_PORT: Final = 8443
HEALTH_PORT: Final = 8081
"""Without the PROXY protocol, which the kubelet does not speak."""
REPLICAS: Final = 2
"""One is replaced while the other answers."""
DRAIN_SECONDS: Final = 5
"""How long a terminating pod keeps serving, until every node has stopped sending it connections."""


def edge_pod(image: str, *, config: pulumi.Input[str], certificate: pulumi.Input[str]) -> k8s.core.v1.PodSpecArgs:
    """nginx with a read-only image; `config` and `certificate` name its ConfigMap and its TLS Secret."""
    return k8s.core.v1.PodSpecArgs(
        automount_service_account_token=False,
        enable_service_links=False,
        affinity=on_nodes_for("core"),
        topology_spread_constraints=[
            k8s.core.v1.TopologySpreadConstraintArgs(
                max_skew=1,
                topology_key="kubernetes.io/hostname",
                when_unsatisfiable="ScheduleAnyway",
                label_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(LABELS)),
            )
        ],
        security_context=pod_security(NGINX_USER),
        containers=[
            k8s.core.v1.ContainerArgs(
                name="nginx",
                image=image,
                command=["nginx", "-e", "stderr", "-c", f"{CONFIG_DIRECTORY}/nginx.conf"],
                ports=[
                    k8s.core.v1.ContainerPortArgs(name="http", container_port=HTTP_PORT),
                    k8s.core.v1.ContainerPortArgs(name="https", container_port=HTTPS_PORT),
                    k8s.core.v1.ContainerPortArgs(name="health", container_port=HEALTH_PORT),
                ],
                readiness_probe=http_probe("/healthz", "health", period=2, failures=2),
                liveness_probe=http_probe("/healthz", "health", period=10, failures=6),
                lifecycle=k8s.core.v1.LifecycleArgs(
                    pre_stop=k8s.core.v1.LifecycleHandlerArgs(sleep=k8s.core.v1.SleepActionArgs(seconds=DRAIN_SECONDS))
                ),
                resources=k8s.core.v1.ResourceRequirementsArgs(requests={"cpu": "50m", "memory": "32Mi"}),
                security_context=container_security(),
                volume_mounts=[
                    k8s.core.v1.VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True),
                    k8s.core.v1.VolumeMountArgs(name="certificate", mount_path=CERTIFICATE_DIRECTORY, read_only=True),
                    k8s.core.v1.VolumeMountArgs(name="tmp", mount_path="/tmp"),
                ],
            )
        ],
        volumes=[
            k8s.core.v1.VolumeArgs(name="config", config_map=k8s.core.v1.ConfigMapVolumeSourceArgs(name=config)),
            k8s.core.v1.VolumeArgs(
                name="certificate", secret=k8s.core.v1.SecretVolumeSourceArgs(secret_name=certificate)
            ),
            k8s.core.v1.VolumeArgs(name="tmp", empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs()),
        ],
    )


def edge_deployment(pod: k8s.core.v1.PodSpecArgs) -> k8s.apps.v1.DeploymentSpecArgs:
    """Replaced one by one, never fewer than before."""
    return k8s.apps.v1.DeploymentSpecArgs(
        replicas=REPLICAS,
        strategy=k8s.apps.v1.DeploymentStrategyArgs(
            type="RollingUpdate",
            rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(max_unavailable=0, max_surge=1),
        ),
        selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(LABELS)),
        template=k8s.core.v1.PodTemplateSpecArgs(metadata=k8s.meta.v1.ObjectMetaArgs(labels=dict(LABELS)), spec=pod),
    )


def edge_service() -> k8s.core.v1.ServiceSpecArgs:
    """Every node takes connections for every pod: the gateway may send them to any."""
    return k8s.core.v1.ServiceSpecArgs(
        type="LoadBalancer",
        external_traffic_policy="Cluster",
        allocate_load_balancer_node_ports=False,
        selector=dict(LABELS),
        ports=[
            k8s.core.v1.ServicePortArgs(name="http", port=80, target_port="http"),
            k8s.core.v1.ServicePortArgs(name="https", port=443, target_port="https"),
        ],
    )


def edge_policy(
    trusted: Sequence[IPv4Address], namespaces: Sequence[pulumi.Input[str]]
) -> k8s.networking.v1.NetworkPolicySpecArgs:
    """Accepts connections only from `trusted`, whose PROXY header it believes; connects to the routes' namespaces."""
    return policy(
        LABELS,
        ingress=[
            k8s.networking.v1.NetworkPolicyIngressRuleArgs(from_=machines_at(trusted), ports=tcp(HTTP_PORT, HTTPS_PORT))
        ],
        egress=[
            dns_egress(),
            k8s.networking.v1.NetworkPolicyEgressRuleArgs(to=[pods_in(namespace) for namespace in namespaces]),
        ],
    )
