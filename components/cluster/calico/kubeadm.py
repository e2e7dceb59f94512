"""The configuration of kubeadm and the kubelets (kubeadm.k8s.io/v1beta4, kubelet.config.k8s.io/v1beta1)."""

from collections.abc import Mapping
from math import ceil
from typing import Any, Final

import yaml

from components.contracts.cluster import API_PORT
from stacks.settings import ClusterSettings, HostSettings, Site
from stacks.settings.types import seconds_of

KUBELET_CONFIG_DIRECTORY: Final = "/etc/kubernetes/kubelet.conf.d"
RESOLV_CONF: Final = "/etc/kubernetes/resolv.conf"
CRI_SOCKET: Final = "unix:///run/containerd/containerd.sock"

TOKEN_PLACEHOLDER: Final = "000000.0000000000000000"
"""Stands for the join token in the file on the machine, and has its form: kubeadm validates the file."""
CA_HASH_PLACEHOLDER: Final = f"sha256:{'0' * 64}"
"""Stands for the digest of the cluster's authority's public key."""

CONTROL_PLANE_TAINT: Final = "node-role.kubernetes.io/control-plane"


def control_plane(site: Site) -> str:
    """Name of the machine that runs the API server; the checks see to it that there is exactly one."""
    return next(iter(site.control_planes))


def workers(site: Site) -> list[str]:
    """Names of the machines that join the control plane, in order."""
    return [name for name, host in site.nodes.items() if not host.is_control_plane]


def init_configuration(site: Site) -> str:
    """Return the file from which `kubeadm init` makes the cluster."""
    name = control_plane(site)
    return yaml.safe_dump_all([_init(site, name), _cluster(site, name), _kube_proxy()], sort_keys=False)


def join_configuration(site: Site, name: str) -> str:
    """Return the file from which `kubeadm join` makes a worker, once the placeholders are replaced."""
    return yaml.safe_dump(
        {
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "JoinConfiguration",
            "discovery": {
                "bootstrapToken": {
                    "apiServerEndpoint": f"{site.cluster.endpoint}:{API_PORT}",
                    "token": TOKEN_PLACEHOLDER,
                    "caCertHashes": [CA_HASH_PLACEHOLDER],
                },
            },
            "nodeRegistration": _registration(site, name),
        },
        sort_keys=False,
    )


def kubelet_configuration(site: Site, host: HostSettings) -> str:
    """Return the configuration of one machine's kubelet, laid over the one that kubeadm wrote (`--config-dir`).

    kubeadm writes a kubelet's configuration once, when its machine joins. This file can be changed afterwards.
    """
    available = site.cluster.eviction_disk_available
    high, low = image_collection(site.cluster)
    age = site.cluster.image_maximum_gc_age
    return yaml.safe_dump(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            # containerd has the same driver. systemd must be the only writer of a v2 hierarchy; in one of v1 the
            # kubelet writes its groups itself.
            "cgroupDriver": "systemd" if host.cgroups == "v2" else "cgroupfs",
            "failCgroupV1": host.cgroups == "v2",
            "resolvConf": RESOLV_CONF,
            "maxPods": site.cluster.max_pods,
            # All signals are named: those missing from the map would be switched off.
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": available,
                "nodefs.inodesFree": "5%",
                "imagefs.available": available,
                "imagefs.inodesFree": "5%",
            },
            "imageGCHighThresholdPercent": high,
            "imageGCLowThresholdPercent": low,
            **({"imageMaximumGCAge": age} if age else {}),
            # One large notebook image must not hold up every other pod of the machine.
            "serializeImagePulls": False,
            "maxParallelImagePulls": 3,
            "seccompDefault": True,
        },
        sort_keys=False,
    )


def image_collection(cluster: ClusterSettings) -> tuple[int, int]:
    """Percentages of a full disk at which the kubelet begins and stops to remove unused images.

    What the settings omit follows from when the kubelet evicts pods, which is when less than `eviction_disk_available`
    is free: it begins before that. For an absolute size the threshold is disabled (100): eviction removes unused
    images, too, before it touches a pod.
    """
    available, high, low = (
        cluster.eviction_disk_available,
        cluster.image_gc_high_threshold_percent,
        cluster.image_gc_low_threshold_percent,
    )
    if high is None:
        percent = available.endswith("%")
        high = max(10, 100 - ceil(1.5 * int(available.removesuffix("%")))) if percent else 100
    if low is None:
        low = 99 if high == 100 else max(0, high - 5)
    return high, low


def _init(site: Site, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "InitConfiguration",
        # Without this kubeadm makes a token that is valid for a day. Workers get tokens of their own.
        "bootstrapTokens": [{"description": "made by kubeadm init, unused", "ttl": "1m0s"}],
        "localAPIEndpoint": {"advertiseAddress": str(site.hosts[name].address), "bindPort": API_PORT},
        "nodeRegistration": _registration(site, name),
    }


def _cluster(site: Site, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        "clusterName": site.cluster.name,
        "kubernetesVersion": f"v{site.cluster.kubernetes_version}",
        "controlPlaneEndpoint": f"{site.cluster.endpoint}:{API_PORT}",
        "networking": {"podSubnet": str(site.network.pods), "serviceSubnet": str(site.network.services)},
        "apiServer": {"certSANs": [site.cluster.endpoint, str(site.hosts[name].address), name]},
        # Also read when they are renewed (components/cluster/calico/certificates.py).
        "certificateValidityPeriod": f"{seconds_of(site.cluster.certificate_lifetime)}s",
        # Calico's own address management decides which node has which addresses.
        "controllerManager": {"extraArgs": [{"name": "allocate-node-cidrs", "value": "false"}]},
    }


def _kube_proxy() -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        # Zero keeps the kernel's own limits: today's machines have limits that are at least as high, and a machine
        # that is itself a container cannot change them.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def _registration(site: Site, name: str) -> dict[str, Any]:
    host = site.hosts[name]
    return {
        "name": name,
        "criSocket": CRI_SOCKET,
        "taints": _taints(host),
        "kubeletExtraArgs": _arguments(
            {"config-dir": KUBELET_CONFIG_DIRECTORY, "node-ip": str(host.address)},
        ),
        "ignorePreflightErrors": list(site.cluster.ignore_preflight_errors),
    }


def _taints(host: HostSettings) -> list[dict[str, str]]:
    if host.is_worker:
        return []
    return [{"key": CONTROL_PLANE_TAINT, "effect": "NoSchedule"}]


def _arguments(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return flags in the form that v1beta4 has for them."""
    return [{"name": name, "value": value} for name, value in values.items()]
