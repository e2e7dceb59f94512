"""Where the cluster's DNS runs: on workers, so that names are resolved while the control plane is off.

kubeadm's CoreDNS tolerates the control plane, and is scheduled before there is a worker. The Deployment stays
kubeadm's; a role puts the placement on it, because `make drift` then sees when `kubeadm upgrade` has rewritten it. A
resource of the stack would be compared with the state alone, and would own what kubeadm replaces.
"""

from typing import Any, Final

import yaml

from components.cluster.calico.kubeadm import CONTROL_PLANE_TAINT
from components.kube.pods import PURPOSE_LABEL
from stacks.settings import Site

POD_LABEL: Final = {"k8s-app": "kube-dns"}
"""kubeadm's, of CoreDNS."""


def dns_manifest(site: Site) -> str:
    """Return the fields of kubeadm's Deployment that are ours, for a server-side apply."""
    placement = {
        "affinity": {"nodeAffinity": _node_affinity(site)},
        # One for each of the nodes that take it; two on the same where it is the only one.
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": POD_LABEL},
                # Pods of the last revision do not count while they are replaced, nor do nodes that are not ready.
                "matchLabelKeys": ["pod-template-hash"],
                "nodeTaintsPolicy": "Honor",
            }
        ],
    }
    return yaml.safe_dump(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "coredns", "namespace": "kube-system"},
            "spec": {"template": {"spec": placement}},
        },
        sort_keys=False,
    )


def _node_affinity(site: Site) -> dict[str, Any]:
    away = {"matchExpressions": [{"key": CONTROL_PLANE_TAINT, "operator": "DoesNotExist"}]}
    core = {"matchExpressions": [{"key": PURPOSE_LABEL, "operator": "In", "values": ["core", "any"]}]}
    preferred = [{"weight": 100, "preference": away}, {"weight": 50, "preference": core}]
    if all(site.hosts[name].is_control_plane for name in site.workers_for("core")):
        # It may be the only machine.
        return {"preferredDuringSchedulingIgnoredDuringExecution": preferred}
    return {
        # A pod beside a dead API server would still get its share of the queries: it stays in the list of endpoints.
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [away]},
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
    }
