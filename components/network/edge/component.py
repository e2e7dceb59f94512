"""IngressProxy: the way from a browser to a Service."""

from collections.abc import Sequence
from ipaddress import IPv4Address

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Secret, Service
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.certificates import UP
from components.certificates import rules as certificate_rules
from components.contracts.certificates import ServerCertificate
from components.contracts.cluster import KubernetesAccess
from components.contracts.machines import Machine
from components.contracts.openings import ANYWHERE, Opening, only
from components.contracts.routes import Route
from components.contracts.watched import ScrapeTarget, Watched, alert_rules
from components.kube.budgets import one_at_a_time
from components.network.edge.config import METRICS_PORT, Upstream, haproxy_cfg, nginx_conf, trusted_addresses
from components.network.edge.roles import certificate_role, edge_proxy
from components.network.edge.workloads import LABELS, edge_deployment, edge_pod, edge_policy, edge_service
from converge.host_state import apply
from stacks.secrets import SiteSecrets
from stacks.settings import Site, SuppliedCertificateSettings

SUPPLIER = "whoever supplied it, as edge.certificate in the settings"
"""The renewer, in an alert, of a certificate of the settings."""


class IngressProxy(pulumi.ComponentResource):
    """HAProxy on the gateway chooses by server name and passes TLS through; nginx in the cluster ends it.

    The PROXY protocol carries the client's address from HAProxy to nginx, and a header from nginx to the Service.
    """

    certificate: ServerCertificate
    """What it shows to browsers, good for the names of all routes."""
    openings: tuple[Opening, ...]
    """Of the gateway."""
    watched: Watched
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
        self.certificate = _certificate(name, site, secrets, routes)
        options = cluster.options(self)
        config = ConfigMap(
            f"{name}-config",
            metadata=ObjectMetaArgs(namespace=namespace),
            immutable=True,
            data={"nginx.conf": _nginx_conf(site, routes)},
            opts=options,
        )
        certificate = Secret(
            f"{name}-certificate",
            metadata=ObjectMetaArgs(namespace=namespace),
            type="kubernetes.io/tls",
            immutable=True,
            string_data={
                "tls.crt": self.certificate.chain,
                "tls.key": pulumi.Output.secret(self.certificate.private_key),
            },
            opts=options,
        )
        Service(
            f"{name}-service",
            metadata=ObjectMetaArgs(
                namespace=namespace,
                annotations={
                    "projectcalico.org/loadBalancerIPs": f'["{site.edge.load_balancer_address}"]',
                },
            ),
            spec=edge_service(gateway.address),
            opts=options,
        )
        allowed = NetworkPolicy(
            f"{name}-policy",
            metadata=ObjectMetaArgs(namespace=namespace),
            spec=edge_policy(trusted_addresses(site), [route.namespace for route in routes]),
            opts=options,
        )
        Deployment(
            f"{name}-proxy",
            metadata=ObjectMetaArgs(namespace=namespace),
            spec=edge_deployment(
                edge_pod(site.edge, config=config.metadata.name, certificate=certificate.metadata.name)
            ),
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[allowed])),
        )
        if site.edge.pdb.enabled:
            PodDisruptionBudget(
                f"{name}-budget",
                metadata=ObjectMetaArgs(namespace=namespace),
                spec=one_at_a_time(LABELS),
                opts=options,
            )
        hosts = [route.host for route in routes]
        by_name = haproxy_cfg(hosts=hosts, address=site.edge.load_balancer_address, gateway=gateway.address)
        apply(gateway, edge_proxy(by_name), parent=self)
        renewer = SUPPLIER if self.certificate.authority is None else UP
        apply(gateway, certificate_role(renewer), secrets={"chain": self.certificate.chain}, parent=self)
        self.openings = (
            Opening(gateway.name, 80, "tcp", ANYWHERE, "HTTP, which sends browsers to HTTPS"),
            Opening(gateway.name, 443, "tcp", ANYWHERE, "HTTPS"),
            Opening(gateway.name, METRICS_PORT, "tcp", only([gateway.address]), "metrics of HAProxy"),
        )
        metrics = ScrapeTarget("haproxy", (f"{gateway.address}:{METRICS_PORT}",))
        self.watched = Watched([metrics], {**alert_rules("certificates", __file__), **certificate_rules()})
        self.register_outputs({})


def _nginx_conf(site: Site, routes: Sequence[Route]) -> pulumi.Output[str]:
    return pulumi.Output.all(*(_upstream(route) for route in routes)).apply(lambda known: nginx_conf(site, known))


def _upstream(route: Route) -> pulumi.Output[Upstream]:
    return route.address.apply(lambda known: Upstream(route.host, IPv4Address(known), route.port, route.asks_others))


def _certificate(name: str, site: Site, secrets: SiteSecrets, routes: Sequence[Route]) -> ServerCertificate:
    """Return the certificate of the settings, or else one by the stack's authority for all routes."""
    supplied = site.edge.certificate
    if isinstance(supplied, SuppliedCertificateSettings):
        return ServerCertificate(supplied.certificate, supplied.private_key.get_secret_value(), authority=None)
    hosts = [route.host for route in routes]
    issued = secrets.issue(f"{name}-certificate", hosts[0], dns_names=hosts)
    return ServerCertificate(issued.certificate, issued.private_key, authority=secrets.ca_certificate)
