"""What other components would hand to the one under test: a site, its machines, a cluster, homes, secrets."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import Provider

from components.contracts.cluster import KubernetesAccess
from components.contracts.machines import Machine, SshTarget
from components.contracts.storage import HomesVolume
from stacks.secrets import SiteSecrets
from stacks.settings import Site
from tests.recorded import Outputs


@dataclass(frozen=True)
class Spaces:
    """The namespaces, by their names."""

    hub: pulumi.Output[str]
    users: pulumi.Output[str]
    edge: pulumi.Output[str]


class World:
    """Made inside a program under test."""

    def __init__(self, site: Site) -> None:
        self.ready = pulumi.ComponentResource("test:index:Ready", "ready")
        self.secrets = SiteSecrets("secrets", site)
        provider = Provider("provider", cluster_identifier="test", kubeconfig="{}")
        self.cluster = KubernetesAccess(provider, self.ready)
        self.spaces = Spaces(*(pulumi.Output.from_input(name) for name in ("hub", "users", "edge")))
        self.machines = {
            name: Machine(name, host, SshTarget.of(name, host, site.access), self.ready)
            for name, host in site.hosts.items()
        }
        self.homes = HomesVolume(
            namespace=self.spaces.users,
            claim=pulumi.Output.from_input("homes"),
            maker_url=pulumi.Output.from_input("https://198.18.0.200:8443"),
            maker_ca=pulumi.Output.from_input("maker's authority"),
            client_certificate=pulumi.Output.from_input("hub's certificate"),
            client_key=pulumi.Output.secret("hub's key"),
            ready=self.ready,
        )


NAMED_BY_THE_PROVIDER = (
    "hub-config",
    "hub-keys",
    "hub-proxy-token",
    "hub-account",
    "hub-spawner-role",
    "edge-config",
    "edge-certificate",
)
ANSWERS: Outputs = {
    "random:index/randomPassword:RandomPassword": {"result": "shared password"},
    "tls:index/privateKey:PrivateKey": {"privateKeyPem": "private key"},
    "tls:index/certRequest:CertRequest": {"certRequestPem": "request"},
    "tls:index/selfSignedCert:SelfSignedCert": {"certPem": "authority"},
    "tls:index/locallySignedCert:LocallySignedCert": {"certPem": "certificate"},
    **{name: {"metadata": {"name": f"{name}-1a2b3c4d"}} for name in NAMED_BY_THE_PROVIDER},
}
"""What the providers would answer; pass them to `record(…, outputs=ANSWERS)`."""
