"""The packages that sites take from upstream's own repositories, under upstream's names and with upstream's layout."""

from pathlib import Path
from typing import Final

from lab.mirror.debs import DebianPackage
from lab.mirror.programs import CNI_PLUGINS, CONTAINERD, KUBERNETES, RUNC
from lab.versions import SITE

_KUBERNETES_HOME: Final = "https://kubernetes.io"
_DROP_IN: Final = "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"

_UNITS: Final = Path(__file__).with_name("units")
"""As in https://github.com/kubernetes/release/tree/master/cmd/krel/templates/latest"""

# https://github.com/docker/containerd-packaging/blob/main/common/containerd.toml
_CONTAINERD_CONFIG: Final = 'disabled_plugins = ["cri"]\n'


def kubernetes_packages(kubernetes: Path, cni_plugins: Path) -> tuple[DebianPackage, ...]:
    """Return the packages of https://pkgs.k8s.io, around programs in these directories.

    Like upstream's, they neither enable nor start kubelet.service.
    """
    version = f"{SITE['kubernetes']}-1.1"
    plugins = sorted(path for path in cni_plugins.iterdir() if path.is_file())
    return (
        DebianPackage(
            "kubelet",
            version,
            "Node agent for Kubernetes clusters",
            _KUBERNETES_HOME,
            depends=("kubernetes-cni (>= 1.2.0)", "mount", "util-linux"),
            recommends=("iptables (>= 1.8.4)",),
            programs={"/usr/bin/kubelet": kubernetes / "kubelet"},
            files={
                "/etc/default/kubelet": "KUBELET_EXTRA_ARGS=\n",
                # dpkg removes empty directories that no package keeps.
                "/etc/kubernetes/manifests/.kubelet-keep": "",
                "/var/lib/kubelet/.kubelet-keep": "",
                "/usr/lib/systemd/system/kubelet.service": (_UNITS / "kubelet.service").read_text(),
            },
        ),
        DebianPackage(
            "kubeadm",
            version,
            "Command-line utility for administering a Kubernetes cluster",
            _KUBERNETES_HOME,
            programs={"/usr/bin/kubeadm": kubernetes / "kubeadm"},
            files={_DROP_IN: (_UNITS / "10-kubeadm.conf").read_text()},
        ),
        DebianPackage(
            "kubectl",
            version,
            "Command-line utility for interacting with a Kubernetes cluster",
            _KUBERNETES_HOME,
            programs={"/usr/bin/kubectl": kubernetes / "kubectl"},
        ),
        DebianPackage(
            "kubernetes-cni",
            f"{SITE['cni_plugins']}-1.1",
            "Binaries required to provision kubernetes container networking",
            _KUBERNETES_HOME,
            programs={f"/opt/cni/bin/{plugin.name}": plugin for plugin in plugins},
        ),
    )


def containerd_package(containerd: Path, runc: Path) -> DebianPackage:
    """Return the package of https://download.docker.com, around programs in these directories.

    Like upstream's, its configuration switches the CRI plugin off: a node's administrator has to replace it.
    """
    # upstream's file is for programs in /usr/local
    unit = (containerd / "source/containerd.service").read_text().replace("/usr/local/bin/", "/usr/bin/")
    return DebianPackage(
        "containerd.io",
        f"{SITE['containerd']}-1",
        "An open and reliable container runtime",
        "https://containerd.io",
        depends=("libc6 (>= 2.34)", "libseccomp2 (>= 2.5.0)"),
        provides=("containerd", "runc"),
        programs={
            **{f"/usr/bin/{name}": containerd / name for name in ("containerd", "containerd-shim-runc-v2", "ctr")},
            "/usr/bin/runc": runc / "runc",
        },
        files={
            "/etc/containerd/config.toml": _CONTAINERD_CONFIG,
            "/usr/lib/systemd/system/containerd.service": unit,
        },
        unit="containerd.service",
    )


PROGRAMS: Final = tuple(programs.artifact for programs in (KUBERNETES, CNI_PLUGINS, CONTAINERD, RUNC))
"""What the packages of this module hold."""


def site_packages() -> tuple[DebianPackage, ...]:
    """Every package of this module. Its programs have been built."""
    kubernetes, cni_plugins, containerd, runc = (programs.path for programs in PROGRAMS)
    return (*kubernetes_packages(kubernetes, cni_plugins), containerd_package(containerd, runc))
