"""What Calico is told."""

import pytest
import yaml

from components.cluster.calico.network import calico_objects, kustomization, node_patch
from stacks.settings import CalicoSettings, Site
from stacks.versions import SITE


def test_no_packet_is_wrapped(site: Site) -> None:
    (container,) = yaml.safe_load(node_patch(site))["spec"]["template"]["spec"]["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert environment["CALICO_IPV4POOL_IPIP"] == environment["CALICO_IPV4POOL_VXLAN"] == "Never"
    pools = [each.spec for each in calico_objects(site) if each.kind == "IPPool"]
    assert {(pool["ipipMode"], pool["vxlanMode"]) for pool in pools} == {("Never", "Never")}


def test_pools_are_apart(site: Site) -> None:
    pools = {
        tuple(each.spec["allowedUses"]): each.spec["cidr"] for each in calico_objects(site) if each.kind == "IPPool"
    }
    assert pools == {("Workload", "Tunnel"): "198.18.64.0/18", ("LoadBalancer",): "198.18.48.0/24"}


def test_nodes_peer_with_the_gateway_and_keep_each_others_next_hops(site: Site) -> None:
    (peer,) = [each for each in calico_objects(site) if each.kind == "BGPPeer"]
    filters = peer.spec["filters"]
    assert peer.spec == {"peerIP": "198.18.0.2", "asNumber": 64513, "nextHopMode": "Keep", "filters": filters}


def test_gateway_hears_of_load_balancers_alone(site: Site) -> None:
    # kube-proxy puts a node's address on what comes to a Service from elsewhere, and the file server believes a node.
    (peer,) = [each for each in calico_objects(site) if each.kind == "BGPPeer"]
    (told,) = [each for each in calico_objects(site) if each.kind == "BGPFilter"]
    assert peer.spec["filters"] == [told.name]
    assert told.spec["exportV4"] == [
        {"action": "Accept", "matchOperator": "In", "cidr": "198.18.48.0/24"},
        {"action": "Reject"},
    ]


def test_no_service_is_announced_but_load_balancers(site: Site) -> None:
    (routing,) = [each for each in calico_objects(site) if each.kind == "BGPConfiguration"]
    assert routing.name == "default"
    assert routing.spec["asNumber"] == 64512
    assert routing.spec["nodeToNodeMeshEnabled"] is True
    assert "serviceClusterIPs" not in routing.spec
    assert routing.spec["serviceLoadBalancerIPs"] == [{"cidr": "198.18.48.0/24"}]


def test_the_patch_lies_on_the_manifest() -> None:
    assert yaml.safe_load(kustomization())["resources"] == ["calico.yaml"]
    assert yaml.safe_load(kustomization())["patches"] == [{"path": "calico-node.yaml"}]


def test_the_known_version_needs_no_digest() -> None:
    assert CalicoSettings().digest == SITE["calico_manifest_sha256"]
    assert CalicoSettings().source.endswith(f"/v{SITE['calico']}/manifests/calico.yaml")


def test_another_version_needs_one() -> None:
    with pytest.raises(
        ValueError, match=r"manifest_sha256 is missing.*curl -L https://.*/v3\.99\.0/manifests/calico.yaml"
    ):
        CalicoSettings(version="3.99.0")
    assert CalicoSettings(version="3.99.0", manifest_sha256="0" * 64).digest == "0" * 64
