"""What other components would hand to the one under test: a site, its machines, a cluster, homes, secrets."""

from ipaddress import IPv4Address

import pulumi
from pulumi_kubernetes import Provider

from components.contracts.cluster import KubernetesAccess, Namespaces
from components.contracts.machines import Machine, SshTarget
from components.contracts.storage import HomeProvisioner, HomesVolume
from stacks.secrets import SiteSecrets
from stacks.settings import Site
from tests.recorded import Outputs


class World:
    """Made inside a program under test."""

    def __init__(self, site: Site) -> None:
        self.ready = pulumi.ComponentResource("test:index:Ready", "ready")
        self.secrets = SiteSecrets("secrets", site)
        provider = Provider("provider", cluster_identifier="test", kubeconfig="{}")
        self.cluster = KubernetesAccess(provider, self.ready)
        self.spaces = Namespaces(*map(pulumi.Output.from_input, ("hub", "users", "edge", "storage")))
        self.machines = {
            name: Machine(name, host, SshTarget.of(name, host, site.access), self.ready, "0" * 32)
            for name, host in site.hosts.items()
        }
        self.homes = HomesVolume(
            namespace=self.spaces.users,
            claim=pulumi.Output.from_input("homes"),
            provisioner=HomeProvisioner(
                IPv4Address("198.18.0.200"),
                8443,
                authority=pulumi.Output.from_input("provisioner's authority"),
                client_certificate=pulumi.Output.from_input("hub's certificate"),
                client_key=pulumi.Output.secret("hub's key"),
            ),
            ready=[self.ready],
        )


NAMED_BY_THE_PROVIDER = (
    "hub-config",
    "hub-keys",
    "hub-proxy-token",
    "hub-pages",
    "hub-account",
    "hub-nodes-role",
    "hub-spawner-role",
    "hub-core-priority",
    "hub-placeholder-priority",
    "edge-config",
    "edge-certificate",
)
ANSWERS: Outputs = {
    "random:index/randomPassword:RandomPassword": {"result": "shared password"},
    "tls:index/privateKey:PrivateKey": {"privateKeyPem": "private key"},
    "tls:index/certRequest:CertRequest": {"certRequestPem": "request"},
    "tls:index/selfSignedCert:SelfSignedCert": {"certPem": "authority"},
    "tls:index/locallySignedCert:LocallySignedCert": {"certPem": "PEM of a leaf"},
    "hub-proxy-public-service": {"spec": {"clusterIP": "198.18.32.7"}},
    **{name: {"metadata": {"name": f"{name}-1a2b3c4d"}} for name in NAMED_BY_THE_PROVIDER},
}
"""What the providers would answer; pass them to `record(…, outputs=ANSWERS)`."""
