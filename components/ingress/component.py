"""IngressProxy: the way from a browser to a Service."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.contracts.cluster import KubernetesAccess
from components.contracts.machines import Machine
from components.contracts.routes import Route
from components.contracts.watched import ScrapeTarget
from components.ingress.config import METRICS_PORT, Upstream, haproxy_cfg, nginx_conf, trusted_addresses
from components.ingress.roles import edge_proxy
from components.ingress.workloads import edge_deployment, edge_pod, edge_policy, edge_service
from converge.host_state import apply
from stacks.models import Site
from stacks.secrets import SiteSecrets


class IngressProxy(pulumi.ComponentResource):
    """HAProxy on the gateway chooses by server name and passes TLS through; nginx in the cluster ends it.

    The PROXY protocol carries the client's address from the one to the other, and a header from there to the Service.
    """

    url: pulumi.Output[str]
    """Where people go, once everything on the way there is up."""
    scrape: tuple[ScrapeTarget, ...]
    """HAProxy's metrics."""

    def __init__(
        self,
        name: str,
        site: Site,
        secrets: SiteSecrets,
        *,
        routes: Sequence[Route],
        gateway: Machine,
        cluster: KubernetesAccess,
        namespace: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("henhouse:net:IngressProxy", name, None, opts)
        options = cluster.options(self)
        config = k8s.core.v1.ConfigMap(
            f"{name}-config",
            metadata=k8s.meta.v1.ObjectMetaArgs(namespace=namespace),
            immutable=True,
            data={"nginx.conf": _nginx_conf(site, routes)},
            opts=options,
        )
        certificate = k8s.core.v1.Secret(
            f"{name}-certificate",
            metadata=k8s.meta.v1.ObjectMetaArgs(namespace=namespace),
            type="kubernetes.io/tls",
            immutable=True,
            string_data=_certificate(name, site, secrets, routes),
            opts=options,
        )
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                namespace=namespace,
                annotations={
                    "projectcalico.org/loadBalancerIPs": f'["{site.edge.load_balancer_address}"]',
                },
            ),
            spec=edge_service(),
            opts=options,
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-policy",
            metadata=k8s.meta.v1.ObjectMetaArgs(namespace=namespace),
            spec=edge_policy(trusted_addresses(site), [route.namespace for route in routes]),
            opts=options,
        )
        proxies = k8s.apps.v1.Deployment(
            f"{name}-proxy",
            metadata=k8s.meta.v1.ObjectMetaArgs(namespace=namespace),
            spec=edge_deployment(
                edge_pod(site.edge.image, config=config.metadata.name, certificate=certificate.metadata.name)
            ),
            opts=options,
        )
        hosts = [route.host for route in routes]
        by_name = haproxy_cfg(hosts=hosts, address=site.edge.load_balancer_address, gateway=gateway.address)
        proxy_role = apply(gateway, edge_proxy(by_name), parent=self)
        self.url = pulumi.Output.all(service.urn, proxies.urn, proxy_role.urn).apply(
            lambda _: f"https://{site.hub.host}"
        )
        self.scrape = (ScrapeTarget("haproxy", (f"{gateway.address}:{METRICS_PORT}",)),)
        self.register_outputs({"url": self.url})


def _nginx_conf(site: Site, routes: Sequence[Route]) -> pulumi.Output[str]:
    return pulumi.Output.all(*(_upstream(route) for route in routes)).apply(lambda known: nginx_conf(site, known))


def _upstream(route: Route) -> pulumi.Output[Upstream]:
    return pulumi.Output.all(route.namespace, route.service).apply(
        lambda known: Upstream(route.host, namespace=known[0], service=known[1], port=route.port)
    )


def _certificate(
    name: str, site: Site, secrets: SiteSecrets, routes: Sequence[Route]
) -> Mapping[str, pulumi.Input[str]]:
    """The site's own certificate, or one by the stack's authority for all routes."""
    own = site.edge.certificate
    if own is not None:
        return {"tls.crt": own.certificate, "tls.key": pulumi.Output.secret(own.private_key.get_secret_value())}
    hosts = [route.host for route in routes]
    issued = secrets.issue(f"{name}-certificate", hosts[0], dns_names=hosts)
    return {"tls.crt": issued.certificate, "tls.key": pulumi.Output.secret(issued.private_key)}
