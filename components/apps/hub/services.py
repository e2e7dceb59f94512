"""The Services of the hub's namespace: what has an address that outlives its pods."""

from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import Service, ServicePortArgs, ServiceSpecArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.apps.hub.addresses import HUB_LABELS, HUB_PORT, PROXY_API_PORT, PROXY_LABELS
from components.contracts.cluster import Namespaces


def _service(labels: dict[str, pulumi.Input[str]], port: int, target: str) -> ServiceSpecArgs:
    ports = [ServicePortArgs(name=target, port=port, target_port=target)]
    return ServiceSpecArgs(selector=labels, ports=ports)


SERVICES: Final = {
    "hub": _service({**HUB_LABELS}, HUB_PORT, "http"),
    "proxy-api": _service({**PROXY_LABELS}, PROXY_API_PORT, "api"),
    "proxy-public": _service({**PROXY_LABELS}, 80, "http"),
}
"""By name: the hub and the proxy find one another by these names in the cluster's DNS."""


def services(name: str, namespaces: Namespaces, options: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make the Services and return the ClusterIP of the one that people reach.

    `name` begins their names in the state.
    """
    # Their pods come later: they are given a Service's name.
    annotations = {"pulumi.com/skipAwait": "true"}
    made = {
        service: Service(
            f"{name}-{service}-service",
            metadata=ObjectMetaArgs(name=service, namespace=namespaces.hub, annotations=annotations),
            spec=spec,
            opts=options,
        )
        for service, spec in SERVICES.items()
    }
    address: pulumi.Output[str] = made["proxy-public"].spec.apply(lambda spec: spec.cluster_ip)
    return address
