"""What kubeadm and the kubelets are told."""

from typing import Any

import pytest
import yaml

from components.cluster.calico import kubeadm
from stacks.load import parse_settings
from stacks.settings import ClusterSettings, Site
from tests.stacks.sites import changed, tree


def _documents(site: Site) -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in yaml.safe_load_all(kubeadm.init_configuration(site))}


def test_the_cluster_has_the_settings_networks_and_a_name_for_its_endpoint(site: Site) -> None:
    cluster = _documents(site)["ClusterConfiguration"]
    assert cluster["networking"] == {"podSubnet": "198.18.64.0/18", "serviceSubnet": "198.18.32.0/20"}
    assert cluster["controlPlaneEndpoint"] == "api.flock.internal:6443"
    assert {"198.18.0.100", "api.flock.internal"} <= set(cluster["apiServer"]["certSANs"])
    assert cluster["kubernetesVersion"] == f"v{site.cluster.kubernetes_version}"


def test_a_control_plane_takes_no_pods_unless_it_is_a_worker_too(site: Site) -> None:
    assert _documents(site)["InitConfiguration"]["nodeRegistration"]["taints"] == [
        {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    ]
    both = parse_settings(changed(tree("dev"), {"hosts": {"chick0": {"duties": ["control-plane", "worker"]}}}))
    assert _documents(both)["InitConfiguration"]["nodeRegistration"]["taints"] == []
    assert kubeadm.workers(both) == ["chick1", "chick2"]


def test_init_leaves_no_token_for_anybody(site: Site) -> None:
    (token,) = _documents(site)["InitConfiguration"]["bootstrapTokens"]
    assert token["ttl"] == "1m0s"
    assert "token" not in token


def test_kube_proxy_speaks_the_language_of_felix(site: Site) -> None:
    assert _documents(site)["KubeProxyConfiguration"]["mode"] == "nftables"


def test_a_worker_pins_the_authority_and_the_file_holds_no_token(site: Site) -> None:
    join = yaml.safe_load(kubeadm.join_configuration(site, "chick1"))
    assert join["discovery"]["bootstrapToken"] == {
        "apiServerEndpoint": "api.flock.internal:6443",
        "token": kubeadm.TOKEN_PLACEHOLDER,
        "caCertHashes": [kubeadm.CA_HASH_PLACEHOLDER],
    }
    assert join["nodeRegistration"]["name"] == "chick1"
    assert join["nodeRegistration"]["ignorePreflightErrors"] == ["SystemVerification"]


@pytest.mark.parametrize(("name", "driver", "refuses"), [("chick1", "cgroupfs", False), ("chick2", "systemd", True)])
def test_each_kubelet_fits_its_machines_kernel(site: Site, name: str, driver: str, refuses: bool) -> None:
    kubelet = yaml.safe_load(kubeadm.kubelet_configuration(site, site.hosts[name]))
    assert kubelet["cgroupDriver"] == driver
    assert kubelet["failCgroupV1"] is refuses


def test_eviction_names_every_signal(site: Site) -> None:
    kubelet = yaml.safe_load(kubeadm.kubelet_configuration(site, site.hosts["chick1"]))
    # The kubelet's defaults (kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction) are lost with any.
    assert set(kubelet["evictionHard"]) == {
        *("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree"),
    }


@pytest.mark.parametrize(
    ("available", "percentages"),
    [("10%", (85, 80)), ("1%", (98, 93)), ("15%", (77, 72)), ("50%", (25, 20)), ("2Gi", (100, 99))],
)
def test_images_go_before_pods_do(available: str, percentages: tuple[int, int]) -> None:
    assert kubeadm.image_collection(ClusterSettings(eviction_disk_available=available)) == percentages


@pytest.mark.parametrize(
    ("given", "percentages"),
    [
        ({"image_gc_high_threshold_percent": 70}, (70, 65)),
        ({"image_gc_high_threshold_percent": 70, "image_gc_low_threshold_percent": 40}, (70, 40)),
        ({"image_gc_high_threshold_percent": 3}, (3, 0)),
        ({"image_gc_high_threshold_percent": 100}, (100, 99)),
    ],
)
def test_images_go_when_the_settings_say(given: dict[str, int], percentages: tuple[int, int]) -> None:
    assert kubeadm.image_collection(ClusterSettings.model_validate(given)) == percentages


def test_images_go_by_age_only_where_the_settings_say(site: Site) -> None:
    """A kubelet whose configuration changes starts again: a site that says nothing keeps what it has."""
    host = site.hosts["chick1"]
    assert "imageMaximumGCAge" not in kubeadm.kubelet_configuration(site, host)
    aged = parse_settings(changed(tree("dev"), {"cluster": {"image_maximum_gc_age": "720h"}}))
    assert yaml.safe_load(kubeadm.kubelet_configuration(aged, host))["imageMaximumGCAge"] == "720h"
