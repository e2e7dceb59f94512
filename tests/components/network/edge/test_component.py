"""Promises of the edge's resources."""

from typing import Any, Final

import kubernetes_validate
import pulumi
import pytest

from components.contracts.routes import Route
from components.network.edge.component import IngressProxy
from stacks.load import parse_settings
from stacks.settings import Site
from stacks.versions import SITE
from tests.certificates import Authority
from tests.components.world import ANSWERS, World
from tests.recorded import Recorded, record
from tests.stacks.sites import changed, tree

MINOR: Final = ".".join(SITE["kubernetes"].split(".")[:2])
SERVICES: Final = {"hub.henhouse.localhost": "198.18.32.7", "binder.henhouse.localhost": "198.18.32.8"}
"""The addresses of the Services behind two public names."""
CHAIN, _ = Authority().issue("hub.henhouse.localhost")
OWN: Final = {"certificate": CHAIN, "private_key": "key of the site"}


def program(settings: Site) -> Recorded:
    """Register an edge for two routes; its result is what it hands to others."""

    def run() -> pulumi.Output[dict[str, Any]]:
        world = World(settings)
        edge = IngressProxy(
            "edge",
            settings,
            world.secrets,
            routes=[
                Route(host, world.spaces.hub, pulumi.Output.from_input(address), 80, "/hub/health")
                for host, address in SERVICES.items()
            ],
            gateway=world.machines[settings.gateway],
            cluster=world.cluster,
            namespace=world.spaces.edge,
        )
        (target,) = edge.watched.scrape
        signer = edge.certificate.authority
        return pulumi.Output.from_input({"authority": signer, "scrape": list(target.addresses)})

    return record(run, outputs=ANSWERS)


@pytest.fixture(scope="module")
def edge() -> Recorded:
    return program(parse_settings(tree("dev")))


def test_every_object_fits_its_schema(edge: Recorded) -> None:
    for each in edge:
        if each.type.startswith("kubernetes:"):
            named = {**each.inputs, "metadata": {"name": "given-by-the-provider", **each.inputs["metadata"]}}
            kubernetes_validate.validate(named, MINOR, strict=True)
            assert each.parent_name == "edge"


def test_service_has_the_address_of_the_settings(edge: Recorded) -> None:
    service = edge.one("edge-service").inputs
    assert service["metadata"]["annotations"] == {"projectcalico.org/loadBalancerIPs": '["198.18.48.10"]'}
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["externalTrafficPolicy"] == "Cluster"
    assert service["spec"]["loadBalancerSourceRanges"] == ["198.18.0.2/32"]


def test_gateway_passes_on_to_that_address(edge: Recorded) -> None:
    script = edge.one("rooster-edge-proxy-command").inputs["create"]
    assert "server edge 198.18.48.10:443 send-proxy-v2" in script
    assert "acl routed req.ssl_sni -i binder.henhouse.localhost hub.henhouse.localhost" in script


def test_stacks_authority_signs_when_no_certificate_is_supplied(edge: Recorded) -> None:
    assert edge.one("secrets-edge-certificate-request").inputs["dnsNames"] == list(SERVICES)
    assert edge.result["authority"] == "authority"
    secret = edge.one("edge-certificate", "kubernetes:core/v1:Secret")
    assert secret.inputs["stringData"] == {"tls.crt": "PEM of a leaf", "tls.key": "private key"}
    assert "stringData" in secret.secret_keys


def test_supplied_certificate_is_used_as_it_is() -> None:
    recorded = program(parse_settings(changed(tree("dev"), {"edge": {"certificate": OWN}})))
    secret = recorded.one("edge-certificate", "kubernetes:core/v1:Secret")
    assert secret.inputs["stringData"] == {"tls.crt": CHAIN, "tls.key": "key of the site"}
    assert "stringData" in secret.secret_keys
    assert not [each for each in recorded if each.name == "secrets-edge-certificate-request"]
    assert recorded.result["authority"] is None


def test_routes_service_is_asked_by_its_address(edge: Recorded) -> None:
    config = edge.one("edge-config").inputs["data"]["nginx.conf"]
    for address in SERVICES.values():
        assert f"proxy_pass http://{address}:80;" in config


def test_pods_are_restricted(edge: Recorded) -> None:
    spec = edge.one("edge-proxy", "kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    (container,) = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["image"] == parse_settings(tree("dev")).edge.image
    assert min(port["containerPort"] for port in container["ports"]) >= 1024


def test_a_rollout_never_takes_the_way_in_away(edge: Recorded) -> None:
    spec = edge.one("edge-proxy", "kubernetes:apps/v1:Deployment").inputs["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert spec["replicas"] > 1
    for name in ("edge-config", "edge-certificate"):
        assert "name" not in edge.one(name).inputs["metadata"], f"{name} would change under a running pod"


def test_no_pod_starts_before_its_policy(edge: Recorded) -> None:
    assert "edge-policy" in edge.one("edge-proxy", "kubernetes:apps/v1:Deployment").depends_on_names


def test_only_trusted_peers_are_let_in(edge: Recorded) -> None:
    (rule,) = edge.one("edge-policy").inputs["spec"]["ingress"]
    assert {peer["ipBlock"]["cidr"] for peer in rule["from"]} == {f"198.18.0.{last}/32" for last in (2, 100, 101, 102)}
    assert {port["port"] for port in rule["ports"]} == {8080, 8443}


def test_others_are_told_who_signed_and_what_to_watch(edge: Recorded) -> None:
    assert edge.result == {"authority": "authority", "scrape": ["198.18.0.2:8404"]}
