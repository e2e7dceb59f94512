"""What kubeadm expects of a machine that becomes a node."""

from collections.abc import Sequence
from typing import Final

from components.templates import render, shell
from converge.items import Absent, Directory, File, KernelModule, Line, Package, Script, Sysctl, Unit
from converge.leftovers import none_left
from converge.role import Role
from stacks.settings import HostSettings, Site
from stacks.versions import SITE

_CONFIG = "/etc/containerd/config.toml"
_HOSTS: Final = "/etc/containerd/certs.d"

# Recommended or looked for by kubelet, kubeadm's preflight checks and kube-proxy.
_TOOLS = ("conntrack", "ethtool", "iptables", "ipset", "socat")


_PROGRAM = "/etc/henhouse/no-swap"
_NO_SWAP = "/etc/systemd/system/henhouse-no-swap.service"
_SWAP_SEEN = "/etc/systemd/system/swap.d/henhouse.conf"
_KUBELET = "/etc/systemd/system/kubelet.service.d/05-henhouse-no-swap.conf"

_OTHERS_CALL_SWAPON = """
found=$(starts_swap)
echo "${found//$'\\n'/, }"
[[ -z $found ]]"""
_SWITCH_OFF = """
starts_swap | disable_units || true
found=$(starts_swap)
if [[ -n $found ]]; then
  echo "${found//$'\\n'/, } would turn swap on at boot and cannot be switched off from here:"
  echo 'take swapon out of it, or mask it'
  exit 1
fi"""


def swap_off() -> Role:
    """Return the role in which swap is off.

    kubelet refuses to start with swap on, and swap comes back at the next boot unless every source of it is gone:
    fstab, compressed memory, and what systemd finds by itself on the disks, which all go through swap.target; units
    that call swapon themselves, of packages and of the site's own. Whoever turns it on all the same, a unit of ours
    turns it off after each boot and whenever systemd sees it come, and disables units that do nothing else; the kubelet
    turns it off before it starts.
    """
    started, acting = shell(__file__, "started", "swap", root=""), shell(__file__, "no-swap")
    return Role(
        "swap-off",
        (
            Line("/etc/fstab", matching=r"^[^#]\S*\s+\S+\s+swap(\s|$)", comment_out=True),
            # zram-generator, zram-tools, dphys-swapfile, swapspace.
            Unit("systemd-zram-setup@zram0.service", masked=True),
            Unit("zramswap.service", masked=True),
            Unit("dphys-swapfile.service", masked=True),
            Unit("swapspace.service", masked=True),
            Unit("swap.target", masked=True),
            Directory("/etc/henhouse"),
            File(_PROGRAM, f"#!/usr/bin/env bash\nset -euo pipefail\n{started}{acting}", mode="0755"),
            File(_NO_SWAP, render(__file__, "henhouse-no-swap.service", drop_in=_SWAP_SEEN, program=_PROGRAM)),
            File(_SWAP_SEEN, "[Unit]\nWants=henhouse-no-swap.service\nBefore=henhouse-no-swap.service\n"),
            File(_KUBELET, "[Service]\nExecStartPre=-/usr/sbin/swapoff --all\n"),
            Unit("henhouse-no-swap.service", running=None),
            Script(
                "nothing turns swap on at boot",
                check=f"{started}{_OTHERS_CALL_SWAPON}",
                apply=f"{started}{_SWITCH_OFF}",
            ),
            Script(
                "no active swap",
                check='mapfile -t found </proc/swaps; echo "${found[1]-}"; ((${#found[@]} <= 1))',
                apply="swapoff --all",
            ),
        ),
    )


def kernel() -> Role:
    """Return the role in which the kernel has what containers, the pod network and kubelet need."""
    return Role(
        "kernel",
        (
            KernelModule("overlay"),
            KernelModule("nf_conntrack"),
            Sysctl("net.ipv4.ip_forward", "1"),
            # Felix refuses to run where the loose check (2) lets pods forge addresses.
            Sysctl("net.ipv4.conf.all.rp_filter", "0"),
            # kubelet's --protect-kernel-defaults.
            Sysctl("vm.overcommit_memory", "1"),
            Sysctl("kernel.panic", "10"),
            Sysctl("kernel.panic_on_oops", "1"),
            # A notebook server watches files, and a node runs a hundred of them; the kernel's defaults are for one
            # person.
            Sysctl("fs.inotify.max_user_instances", "8192"),
            Sysctl("fs.inotify.max_user_watches", "1048576"),
        ),
    )


def container_runtime(host: HostSettings, site: Site) -> Role:
    """Return the role with containerd, held, and with the site's registry in the place of the upstream ones.

    Where the site has none, nothing of a former one is left in their place.
    """
    registry = site.mirrors.registry
    paths = {upstream: f"{_HOSTS}/{upstream}/hosts.toml" for upstream in site.mirrors.registry_hosts}
    mirrored = [
        File(path, hosts_toml(str(registry), upstream)) if registry else Absent(path)
        for upstream, path in paths.items()
    ]
    return Role(
        "container-runtime",
        (
            Package("containerd.io", f"{SITE['containerd']}-*", held=True),
            File(_CONFIG, containerd_config(host), validate='containerd --config "$NEW" config dump >/dev/null'),
            # containerd reads these at every pull.
            *mirrored,
            _no_other_host(site.mirrors.registry_hosts),
            Unit("containerd.service", restart_on=(_CONFIG,)),
        ),
    )


def _no_other_host(upstreams: Sequence[str]) -> Script:
    """Return the item by which no registry stands in for a host that has left `mirrors.registry_hosts`."""
    rest = hosts_toml("", "").partition("\n")[2].rstrip("\n")
    found = shell(__file__, "mirrored", hosts=_HOSTS, upstreams=" ".join(upstreams), rest=rest)
    return none_left("no other registry has one in its place", found, "mirrored_before")


def node_packages(host: HostSettings, kubernetes_version: str) -> Role:
    """Return the role with Kubernetes' programs, held at the cluster's version.

    An unattended upgrade of kubelet is an outage.
    """
    version = f"{kubernetes_version}-*"
    return Role(
        "kubernetes",
        (
            *(Package(tool) for tool in _TOOLS),
            *(Package(program, version, held=True) for program in ("kubelet", "kubeadm", "kubectl")),
            Directory("/opt/cni/bin"),
            *(_nfs_client() if host.takes("user") else ()),
        ),
    )


def _nfs_client() -> tuple[Package | Unit, ...]:
    """NFS 4.2 needs no port mapper, which the package starts all the same (rpcbind(8), RFC 8881)."""
    return (
        Package("nfs-common"),
        Unit("rpcbind.socket", masked=True),
        Unit("rpcbind.service", masked=True),
    )


def hosts_toml(registry: str, upstream: str) -> str:
    """Return the file that puts the site's registry in the place of an upstream one.

    containerd asks no other registry when the site's does not have an image
    (https://github.com/containerd/containerd/blob/main/docs/hosts.md).
    """
    return render(__file__, "containerd-hosts.toml", registry=registry.rstrip("/"), upstream=upstream)


def containerd_config(host: HostSettings) -> str:
    """config.toml of containerd 2.3 (its docs/cri/config.md)."""
    return render(
        __file__,
        "containerd-config.toml",
        pause=SITE["pause"],
        restrict_oom_score_adj=host.restrict_oom_score_adj,
        systemd_cgroup=host.cgroups == "v2",
    )
