"""What must be true of the machines of a cluster."""

import hashlib
from collections.abc import Sequence
from typing import Final

from components.cluster.calico import kubeadm
from components.cluster.calico.dns import dns_manifest
from components.cluster.calico.interfaces import left_alone
from components.cluster.calico.network import MANIFEST, PATCH, kustomization, node_patch
from components.cluster.calico.shell import script
from components.contracts.machines import SshTarget
from converge.items import Directory, File, Item, Script, Unit
from converge.role import Fact, Role
from stacks.settings import Site

MARKS: Final = "/etc/kubernetes/henhouse"
"""Where a machine keeps what this program has begun and finished on it; `kubeadm reset` leaves it alone."""
INIT_CONFIG: Final = f"{MARKS}/init.yaml"
JOIN_CONFIG: Final = f"{MARKS}/join.yaml"
CALICO_DIRECTORY: Final = f"{MARKS}/calico"
DNS_MANIFEST: Final = f"{MARKS}/dns.yaml"
CA_CERTIFICATE: Final = "/etc/kubernetes/pki/ca.crt"
KUBELET_CONFIG: Final = f"{kubeadm.KUBELET_CONFIG_DIRECTORY}/50-henhouse.conf"
NETWORKD_ROUTES: Final = "/etc/systemd/networkd.conf.d/50-foreign-routes.conf"

_VALIDATE: Final = 'kubeadm config validate --config="$NEW"'
_KUBELET: Final = Unit("kubelet.service", restart_on=(KUBELET_CONFIG,))


def control_plane_role(site: Site) -> Role:
    """Return the role in which kubeadm has made a cluster on the machine, and the machine's kubelet runs.

    The cluster is made once. Where it has been made before and is not there, as after the machine was reinstalled,
    the role refuses to make another: the stack remembers.
    """
    name = kubeadm.control_plane(site)
    host = site.hosts[name]
    effect = "" if host.is_worker else "NoSchedule"
    taint = {"node": name, "taint": kubeadm.CONTROL_PLANE_TAINT, "effect": effect}
    return Role(
        "control-plane",
        (
            *_kubelet_items(site, name),
            Directory(MARKS, mode="0700"),
            File(INIT_CONFIG, kubeadm.init_configuration(site), mode="0600", validate=_VALIDATE),
            Script(
                "cluster",
                check=script("cluster.check.sh", library=("marks.sh", "cluster.sh"), marks=MARKS),
                apply=script(
                    "cluster.apply.sh",
                    library=("marks.sh", "cluster.sh"),
                    marks=MARKS,
                    config=INIT_CONFIG,
                    cri_socket=kubeadm.CRI_SOCKET,
                ),
            ),
            _KUBELET,
            _pair("api", "API server answers"),
            _pair("taint", "node's taint", **taint),
            # kubeadm labels each control plane, without a value; Calico goes by the value `true` (confd, client.go). A
            # control plane that runs no pods of people's takes none of their connections either: the gateway would
            # send it some for as long as it takes to notice that it is off.
            _pair("announced", "node's load balancers", node=name, excluded="" if host.is_worker else "true"),
            _purpose(site, name),
        ),
        remembers=True,
    )


def authority_role() -> Role:
    """Return the role that has the certificate of the cluster's authority as a fact, which lasts for ten years."""
    return Role("authority", (), facts=(Fact("ca", f"base64 --wrap=0 {CA_CERTIFICATE}"),))


def administrator_role(reading: int) -> Role:
    """Return the role that has the administrator's kubeconfig as a fact. Another `reading` reads it again.

    It is a role of its own because facts are unknown in the preview of a change of their role, and everything in the
    cluster depends on this one.
    """
    return Role(
        "administrator",
        (
            Script(
                "API server answers",
                check=f"# reading {reading}\n{script('api.check.sh')}",
                apply=script("api.apply.sh"),
            ),
        ),
        facts=(Fact("kubeconfig", "base64 --wrap=0 /etc/kubernetes/admin.conf"),),
        secret_facts=True,
    )


def calico_role(site: Site) -> Role:
    """Return the role in which the upstream manifest is applied to the cluster.

    The manifest is checked by its digest and changed by our patch.
    """
    manifest = f"{CALICO_DIRECTORY}/{MANIFEST}"
    source = {"url": site.cluster.calico.source, "sha256": site.cluster.calico.digest}
    return Role(
        "calico",
        (
            Directory(CALICO_DIRECTORY),
            _pair("manifest", "upstream manifest", manifest=manifest, **source),
            File(f"{CALICO_DIRECTORY}/{PATCH}", node_patch(site)),
            File(f"{CALICO_DIRECTORY}/kustomization.yaml", kustomization()),
            _pair("calico", "manifest is applied", directory=CALICO_DIRECTORY),
        ),
    )


def admission_role(site: Site, worker: SshTarget) -> Role:
    """Return the role in which a worker may join: it is a node already, or there is a token for it for another hour.

    A node is this installation of the machine. After another installation its old Node is deleted, and there is a new
    token. Every worker has its own token, and so its own role: a new token for one machine does not change the roles of
    the others. The token lasts a day and can be used for nothing but joining.

    The role takes the value `machine_id`, the machine's fact, on standard input: the script stays the same.
    """
    about = {
        "node": worker.name,
        "address": worker.host,
        "ssh_port": str(worker.port),
        "token_id": token_id(site, worker.name),
    }
    return Role(
        f"admission-of-{worker.name}",
        (_pair("token", f"{worker.name} may join", library="node.sh", **about),),
        # It ends a day later, and a machine that has joined needs no other.
        facts=(Fact("token", script("token.fact.sh", token_id=about["token_id"]), lasting=False),),
        secret_facts=True,
    )


def worker_role(site: Site, name: str) -> Role:
    """Return the role in which the machine is a node of the cluster, ready for pods.

    The role takes the secrets `token` and `ca_hash`.
    """
    return Role(
        "worker",
        (
            *_kubelet_items(site, name),
            Directory(MARKS, mode="0700"),
            File(JOIN_CONFIG, kubeadm.join_configuration(site, name), mode="0600", validate=_VALIDATE),
            Script(
                "node of the cluster",
                check=script("join.check.sh", library="marks.sh", marks=MARKS, node=name),
                apply=script(
                    "join.apply.sh",
                    library="marks.sh",
                    marks=MARKS,
                    node=name,
                    config=JOIN_CONFIG,
                    cri_socket=kubeadm.CRI_SOCKET,
                    token_placeholder=kubeadm.TOKEN_PLACEHOLDER,
                    ca_hash_placeholder=kubeadm.CA_HASH_PLACEHOLDER,
                ),
            ),
            _KUBELET,
            _purpose(site, name),
            _pair("ready", "node is ready", node=name),
        ),
    )


def pods_role(site: Site) -> Role:
    """Return the role in which pods that are made from now on can start.

    One machine takes the hub's, and the control plane's own pods run. The role does not wait for every worker: a slow
    or dead worker delays only itself. The wait for a worker comes first: it alone lets the control plane's other roles
    continue, those that admit workers among them.
    """
    return Role(
        "pods",
        (
            _pair("worker", "a worker for the hub is ready", nodes=" ".join(site.workers_for("core"))),
            _pair("ready", "control plane is ready", node=kubeadm.control_plane(site)),
            _pair("available", "address management runs", deployment="calico-kube-controllers"),
            _pair("available", "names are resolved", deployment="coredns"),
        ),
    )


def dns_role(site: Site) -> Role:
    """Return the role in which the cluster's DNS runs on workers. It needs one that is ready."""
    return Role(
        "dns",
        (
            File(DNS_MANIFEST, dns_manifest(site)),
            _pair("dns", "names are resolved on workers", manifest=DNS_MANIFEST),
        ),
    )


def token_id(site: Site, worker: str) -> str:
    """Return the public half of a worker's token, which names the token's Secret."""
    return hashlib.sha256(f"{site.cluster.name}/{worker}".encode()).hexdigest()[:6]


def _kubelet_items(site: Site, name: str) -> tuple[Item, ...]:
    """Return what a kubelet needs before it starts."""
    return (
        # systemd-networkd removes routes that it did not make when it restarts (networkd.conf(5)).
        File(NETWORKD_ROUTES, "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"),
        *left_alone(),
        Directory(kubeadm.KUBELET_CONFIG_DIRECTORY),
        File(KUBELET_CONFIG, kubeadm.kubelet_configuration(site, site.hosts[name])),
        _resolvers(site),
    )


def _resolvers(site: Site) -> Item:
    """Return the item for the name servers that resolve names outside the cluster for pods: those of the settings, the
    gateway where it is the name server, or else their machine's own."""
    if site.network.dns and not site.cluster.resolvers:
        return File(kubeadm.RESOLV_CONF, f"nameserver {site.hosts[site.gateway].address}\n")
    about = {"resolv_conf": kubeadm.RESOLV_CONF, "resolvers": " ".join(map(str, site.cluster.resolvers))}
    return Script(
        "resolvers for pods",
        check=script("resolvers.check.sh", library="resolvers.sh", **about),
        apply=script("resolvers.apply.sh", library="resolvers.sh", **about),
    )


def _purpose(site: Site, name: str) -> Script:
    """Return the item for the label by which pods find a worker; a machine that is not a worker has no label."""
    host = site.hosts[name]
    return _pair("purpose", "node's purpose", node=name, purpose=host.purpose if host.is_worker else "")


def _pair(stem: str, name: str, *, library: Sequence[str] | str = (), **values: str) -> Script:
    """Return the item made of the two scripts `<stem>.check.sh` and `<stem>.apply.sh`."""
    check, apply = (script(f"{stem}.{verb}.sh", library=library, **values) for verb in ("check", "apply"))
    return Script(name, check, apply)
