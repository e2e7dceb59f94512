"""kubeadm's certificates on a control plane: which there are, when they are renewed, and when a stack reads them again.

Sources: https://kubernetes.io/docs/setup/best-practices/certificates/ and
https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/
"""

from collections.abc import Iterator, Mapping
from typing import Final

from components.certificates import HAND, PROGRAM, SYSTEM, spec_path, told
from components.cluster.calico.roles import INIT_CONFIG
from components.contracts.cluster import API_PORT
from components.templates import render
from converge.items import File, Item, Script, Unit
from converge.role import Role
from programs.certificates.renewal import RENEWER
from programs.certificates.spec import Certificate, Component, Renewal, Spec
from stacks.settings import Site
from stacks.settings.types import seconds_of

GROUP: Final = "kubernetes"
DIRECTORY: Final = "/etc/kubernetes"
PKI: Final = f"{DIRECTORY}/pki"
BACKUP: Final = f"{DIRECTORY}/henhouse/certificates-before"
SERVICE: Final = "henhouse-renewal.service"

DAY: Final = 24 * 3600
LOOKS: Final = 24
"""The timer looks this often in the life of a certificate, but every day. It has to look more than once between a third
and a quarter of that life, a twelfth of it."""
DELAY_SECONDS: Final = 600
"""Two control planes with equal certificates begin at different times within so long. Each is itself again in two
minutes, and none begins while another is not well."""
READS: Final = 4
"""A stack reads the administrator's kubeconfig this often in the life of its certificate. What it reads lasts for at
least a third of that life, less the time between two looks."""

KUBELET: Final = "the kubelet"

_RENEWED: Final[Mapping[str, str]] = {
    "API server": f"{PKI}/apiserver.crt",
    "API server as client of etcd": f"{PKI}/apiserver-etcd-client.crt",
    "API server as client of kubelets": f"{PKI}/apiserver-kubelet-client.crt",
    "front proxy": f"{PKI}/front-proxy-client.crt",
    "etcd": f"{PKI}/etcd/server.crt",
    "etcd among its peers": f"{PKI}/etcd/peer.crt",
    "health check of etcd": f"{PKI}/etcd/healthcheck-client.crt",
    "admin.conf": f"{DIRECTORY}/admin.conf",
    "super-admin.conf": f"{DIRECTORY}/super-admin.conf",
    "controller manager": f"{DIRECTORY}/controller-manager.conf",
    "scheduler": f"{DIRECTORY}/scheduler.conf",
}
_OTHERS: Final[Mapping[str, Certificate]] = {
    "kubelet": Certificate("/var/lib/kubelet/pki/kubelet-client-current.pem", KUBELET),
    "authority of the cluster": Certificate(f"{PKI}/ca.crt", HAND),
    "authority of etcd": Certificate(f"{PKI}/etcd/ca.crt", HAND),
    "authority of the front proxy": Certificate(f"{PKI}/front-proxy-ca.crt", HAND),
}


def interval_seconds(lifetime: int) -> int:
    """How often the timer looks, in seconds, for certificates that last `lifetime` seconds."""
    return min(DAY, lifetime // LOOKS)


def reading(lifetime: int, now: float) -> int:
    """Return the number of the present period: in each, the stack reads the administrator's kubeconfig again."""
    return int(now * READS // lifetime)


def spec(site: Site, name: str) -> Spec:
    """Return the program's configuration on a control plane."""
    lifetime = seconds_of(site.cluster.certificate_lifetime)
    certificates = {each: Certificate(path, RENEWER) for each, path in _RENEWED.items()}
    address = site.hosts[name].address
    peers = [host.address for other, host in site.control_planes.items() if other != name]
    return Spec(
        GROUP,
        {**certificates, **_OTHERS},
        Renewal(
            config=INIT_CONFIG,
            lifetime_seconds=lifetime,
            interval_seconds=interval_seconds(lifetime),
            backup=BACKUP,
            components=dict(_components(f"https://{address}:{API_PORT}")),
            peers=tuple(f"https://{peer}:{API_PORT}" for peer in peers),
        ),
    )


def _components(api_server: str) -> Iterator[tuple[str, Component]]:
    """Yield the static pods in the order of their restart: etcd first, because all others need the API server."""
    yield (
        "etcd",
        Component(
            ("etcd", "etcd among its peers"),
            "https://127.0.0.1:2379/health",
            shows=f"{PKI}/etcd/server.crt",
            authority=f"{PKI}/etcd/ca.crt",
            client=f"{PKI}/etcd/healthcheck-client",
        ),
    )
    yield (
        "kube-apiserver",
        Component(
            (
                *("API server", "API server as client of etcd"),
                *("API server as client of kubelets", "front proxy"),
            ),
            f"{api_server}/readyz",
            shows=f"{PKI}/apiserver.crt",
            authority=f"{PKI}/ca.crt",
            client=f"{PKI}/apiserver-kubelet-client",
        ),
    )
    # These two make the certificates that they show, and need new ones to ask the API server.
    yield "kube-controller-manager", Component(("controller manager",), "https://127.0.0.1:10257/healthz")
    yield "kube-scheduler", Component(("scheduler",), "https://127.0.0.1:10259/readyz")


def certificates_role(site: Site, name: str) -> Role:
    """Return the role in which a control plane renews its own certificates, and tells when they end."""
    return Role("certificates", tuple(_items(site, name)))


def _items(site: Site, name: str) -> Iterator[Item]:
    told_of = spec(site, name)
    assert told_of.renewal is not None
    path = spec_path(GROUP)
    yield from told(told_of)
    # An edit of the lifetime may have made some due at once, before the timer looks.
    yield Script("certificates are renewed", check=f"{PROGRAM} check {path}", apply=f"{PROGRAM} renew {path}")
    interval = told_of.renewal.interval_seconds
    timer = f"{SYSTEM}/{RENEWER}"
    yield File(f"{SYSTEM}/{SERVICE}", render(__file__, SERVICE, program=PROGRAM, spec=path))
    yield File(timer, render(__file__, RENEWER, interval=interval, delay=min(DELAY_SECONDS, interval // 2)))
    yield Unit(RENEWER, restart_on=(timer,))
