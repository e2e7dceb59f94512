"""The TLS proxy's pods, and who may reach them."""

from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import DeploymentSpecArgs, DeploymentStrategyArgs, RollingUpdateDeploymentArgs
from pulumi_kubernetes.core.v1 import (
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    ContainerPortArgs,
    EmptyDirVolumeSourceArgs,
    LifecycleArgs,
    LifecycleHandlerArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    ResourceRequirementsArgs,
    SecretVolumeSourceArgs,
    ServicePortArgs,
    ServiceSpecArgs,
    SleepActionArgs,
    TopologySpreadConstraintArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicySpecArgs,
)

from components.kube.pods import container_security, http_probe, on_nodes_for, pod_security
from components.kube.policies import dns_egress, machines_at, pods_in, policy, tcp
from components.network.edge.config import CERTIFICATE_DIRECTORY, CONFIG_DIRECTORY
from stacks.settings import EdgeSettings

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


def edge_pod(settings: EdgeSettings, *, config: pulumi.Input[str], certificate: pulumi.Input[str]) -> PodSpecArgs:
    """nginx with a read-only image; `config` and `certificate` name its ConfigMap and its TLS Secret."""
    return PodSpecArgs(
        automount_service_account_token=False,
        enable_service_links=False,
        affinity=on_nodes_for("core"),
        topology_spread_constraints=[
            TopologySpreadConstraintArgs(
                max_skew=1,
                topology_key="kubernetes.io/hostname",
                when_unsatisfiable="ScheduleAnyway",
                label_selector=LabelSelectorArgs(match_labels=dict(LABELS)),
            )
        ],
        security_context=pod_security(NGINX_USER),
        containers=[
            ContainerArgs(
                name="nginx",
                image=settings.image,
                command=["nginx", "-e", "stderr", "-c", f"{CONFIG_DIRECTORY}/nginx.conf"],
                ports=[
                    ContainerPortArgs(name="http", container_port=HTTP_PORT),
                    ContainerPortArgs(name="https", container_port=HTTPS_PORT),
                    ContainerPortArgs(name="health", container_port=HEALTH_PORT),
                ],
                readiness_probe=http_probe("/healthz", "health", period=2, failures=2),
                liveness_probe=http_probe("/healthz", "health", period=10, failures=6),
                lifecycle=LifecycleArgs(pre_stop=LifecycleHandlerArgs(sleep=SleepActionArgs(seconds=DRAIN_SECONDS))),
                resources=ResourceRequirementsArgs(**settings.resources.asked(cpu="50m", memory="32Mi")),
                security_context=container_security(),
                volume_mounts=[
                    VolumeMountArgs(name="config", mount_path=CONFIG_DIRECTORY, read_only=True),
                    VolumeMountArgs(name="certificate", mount_path=CERTIFICATE_DIRECTORY, read_only=True),
                    VolumeMountArgs(name="tmp", mount_path="/tmp"),
                ],
            )
        ],
        volumes=[
            VolumeArgs(name="config", config_map=ConfigMapVolumeSourceArgs(name=config)),
            VolumeArgs(name="certificate", secret=SecretVolumeSourceArgs(secret_name=certificate)),
            VolumeArgs(name="tmp", empty_dir=EmptyDirVolumeSourceArgs()),
        ],
    )


def edge_deployment(pod: PodSpecArgs) -> DeploymentSpecArgs:
    """Return a Deployment that replaces its pods one by one and never runs fewer than before."""
    return DeploymentSpecArgs(
        replicas=REPLICAS,
        strategy=DeploymentStrategyArgs(
            type="RollingUpdate",
            rolling_update=RollingUpdateDeploymentArgs(max_unavailable=0, max_surge=1),
        ),
        selector=LabelSelectorArgs(match_labels=dict(LABELS)),
        template=PodTemplateSpecArgs(metadata=ObjectMetaArgs(labels=dict(LABELS)), spec=pod),
    )


def edge_service(gateway: IPv4Address) -> ServiceSpecArgs:
    """Return a Service that takes connections from the gateway alone.

    The PROXY header of a connection is believed, and every node takes connections for every pod, with its own address
    in place of the client's. So kube-proxy looks at the source before that: `loadBalancerSourceRanges`.
    """
    return ServiceSpecArgs(
        type="LoadBalancer",
        external_traffic_policy="Cluster",
        allocate_load_balancer_node_ports=False,
        load_balancer_source_ranges=[f"{gateway}/32"],
        selector=dict(LABELS),
        ports=[
            ServicePortArgs(name="http", port=80, target_port="http"),
            ServicePortArgs(name="https", port=443, target_port="https"),
        ],
    )


def edge_policy(trusted: Sequence[IPv4Address], namespaces: Sequence[pulumi.Input[str]]) -> NetworkPolicySpecArgs:
    """Return the policy by which the proxy accepts connections only from `trusted`.

    The proxy believes the PROXY header of the addresses in `trusted`, and connects to the routes' namespaces.
    """
    return policy(
        LABELS,
        ingress=[NetworkPolicyIngressRuleArgs(from_=machines_at(trusted), ports=tcp(HTTP_PORT, HTTPS_PORT))],
        egress=[
            # For pods of an earlier release, which resolve names, until they are replaced.
            dns_egress(),
            NetworkPolicyEgressRuleArgs(to=[pods_in(namespace) for namespace in namespaces]),
        ],
    )
