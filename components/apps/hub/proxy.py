"""The proxy in front of the hub and of user servers: its pod and its network policy."""

from pathlib import Path
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPortArgs,
    EnvVarArgs,
    EnvVarSourceArgs,
    PodSpecArgs,
    ResourceRequirementsArgs,
    SecretKeySelectorArgs,
)
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs as Egress
from pulumi_kubernetes.networking.v1 import NetworkPolicyIngressRuleArgs as Ingress
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgs

from components.apps.hub.addresses import (
    ERROR_PAGES_PORT,
    HUB_LABELS,
    HUB_PORT,
    PROXY_API_PORT,
    PROXY_LABELS,
    PROXY_PORT,
    SERVER_PORT,
)
from components.apps.hub.pulling import own_pull_secrets
from components.kube.pods import container_security, http_probe, on_nodes_for, pod_security
from components.kube.policies import dns_egress, pods_in, policy, tcp
from programs import hub as hub_program
from stacks.settings import HubSettings

PROXY_USER: Final = 65534
"""The user of configurable-http-proxy's image (its Dockerfile)."""
_ERROR_PAGES: Final = Path(hub_program.__file__).with_name("error_pages.js")


def proxy_pod(
    settings: HubSettings,
    *,
    hub_url: pulumi.Input[str],
    token: pulumi.Input[str],
    priority: pulumi.Input[str] | None = None,
) -> PodSpecArgs:
    """Return the proxy's pod; `token` names the Secret whose key `token` holds the token that the hub must show.

    `priority` names its PriorityClass, where it has one.
    """
    return PodSpecArgs(
        priority_class_name=priority,
        automount_service_account_token=False,
        image_pull_secrets=own_pull_secrets(settings),
        enable_service_links=False,
        affinity=on_nodes_for("core"),
        security_context=pod_security(PROXY_USER),
        containers=[
            ContainerArgs(
                name="proxy",
                image=settings.proxy_image,
                command=proxy_command(hub_url),
                env=proxy_environment(token),
                ports=[
                    ContainerPortArgs(name="http", container_port=PROXY_PORT),
                    ContainerPortArgs(name="api", container_port=PROXY_API_PORT),
                ],
                readiness_probe=http_probe("/_chp_healthz", "http", period=2, failures=2),
                liveness_probe=http_probe("/_chp_healthz", "http", period=10, failures=6),
                resources=ResourceRequirementsArgs(**settings.proxy_resources.asked(cpu="50m", memory="128Mi")),
                security_context=container_security(),
            ),
            _error_pages(settings, hub_url),
        ],
    )


def _error_pages(settings: HubSettings, hub_url: pulumi.Input[str]) -> ContainerArgs:
    """Return the container that the proxy asks for pages of errors: the proxy's image, for its node."""
    hubs_own = pulumi.Output.concat(hub_url, "/hub/error")
    return ContainerArgs(
        name="error-pages",
        image=settings.proxy_image,
        command=["node", "-e", _ERROR_PAGES.read_text(), "--", str(ERROR_PAGES_PORT), hubs_own],
        resources=ResourceRequirementsArgs(requests={"cpu": "10m", "memory": "64Mi"}, limits={"memory": "256Mi"}),
        security_context=container_security(),
    )


def proxy_command(hub_url: pulumi.Input[str]) -> list[pulumi.Input[str]]:
    """Return the words that start the proxy."""
    return [
        "configurable-http-proxy",
        "--ip=0.0.0.0",
        f"--port={PROXY_PORT}",
        "--api-ip=0.0.0.0",
        f"--api-port={PROXY_API_PORT}",
        pulumi.Output.concat("--default-target=", hub_url),
        f"--error-target=http://127.0.0.1:{ERROR_PAGES_PORT}",
    ]


def proxy_environment(token: pulumi.Input[str]) -> list[EnvVarArgs]:
    """Return the proxy's variables: its token, of the Secret that `token` names."""
    kept = EnvVarSourceArgs(secret_key_ref=SecretKeySelectorArgs(name=token, key="token"))
    return [EnvVarArgs(name="CONFIGPROXY_AUTH_TOKEN", value_from=kept)]


def proxy_policy(users: pulumi.Input[str], hub: pulumi.Input[str], edge: pulumi.Input[str]) -> NetworkPolicySpecArgs:
    """Return the policy that lets the edge and user servers reach the proxy, and lets only the hub set its routes."""
    return policy(
        PROXY_LABELS,
        ingress=[
            Ingress(from_=[pods_in(edge), pods_in(users)], ports=tcp(PROXY_PORT)),
            Ingress(from_=[pods_in(hub, {**HUB_LABELS})], ports=tcp(PROXY_API_PORT)),
        ],
        egress=[
            dns_egress(),
            Egress(to=[pods_in(hub, {**HUB_LABELS})], ports=tcp(HUB_PORT)),
            Egress(to=[pods_in(users)], ports=tcp(SERVER_PORT)),
        ],
    )
