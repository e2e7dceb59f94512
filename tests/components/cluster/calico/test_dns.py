"""Where the cluster's DNS runs, on sites of several shapes."""

from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from components.cluster.calico.dns import dns_manifest
from components.kube.pods import PURPOSE_LABEL
from stacks.load import parse_settings
from stacks.settings import Site
from stacks.versions import SITE
from tests.recorded import merged
from tests.stacks.sites import changed, tree

CONTROL_PLANE: Final = "node-role.kubernetes.io/control-plane"
KUBEADMS: Final[dict[str, Any]] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "coredns", "namespace": "kube-system"},
    "spec": {
        "selector": {"matchLabels": {"k8s-app": "kube-dns"}},
        "template": {
            "metadata": {"labels": {"k8s-app": "kube-dns"}},
            "spec": {"containers": [{"name": "coredns", "image": "registry.k8s.io/coredns/coredns:v1.12.1"}]},
        },
    },
}
"""What of kubeadm's own Deployment matters here."""
BOTH: Final = {"duties": ["control-plane", "worker"]}


def placement(site: Site) -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load(dns_manifest(site))["spec"]["template"]["spec"]
    return spec


def takes(site: Site, *, control_plane: bool) -> bool:
    """Whether a node may take a pod of it, by the required terms."""
    required = placement(site)["affinity"]["nodeAffinity"].get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    ((expression,),) = (term["matchExpressions"] for term in required["nodeSelectorTerms"])
    assert expression == {"key": CONTROL_PLANE, "operator": "DoesNotExist"}
    return not control_plane


def variant(**hosts: Any) -> Site:
    return parse_settings(changed(tree("dev"), {"hosts": hosts}))


@pytest.mark.parametrize(
    ("site", "on_the_control_plane"),
    [
        (variant(), False),
        (variant(chick0=BOTH), False),
        # The only machine that is sure to be there is the control plane itself.
        (variant(chick0=BOTH, chick1={"purpose": "user"}), True),
    ],
    ids=["workers", "control plane works too", "no other worker for the hub"],
)
def test_it_is_away_from_the_control_plane_where_there_is_a_worker_for_the_hub(
    site: Site, on_the_control_plane: bool
) -> None:
    assert takes(site, control_plane=False)
    assert takes(site, control_plane=True) == on_the_control_plane


def test_it_prefers_workers_and_those_for_the_hub_most() -> None:
    weights = {
        term["preference"]["matchExpressions"][0]["key"]: term["weight"]
        for term in placement(variant())["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    }
    assert weights == {CONTROL_PLANE: 100, PURPOSE_LABEL: 50}


def test_its_pods_are_apart_and_a_rollout_cannot_block_itself() -> None:
    (spread,) = placement(variant())["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "DoNotSchedule")
    # Against the last revision's pods, or a node that is away, the new ones of a small site would wait for ever.
    assert spread["matchLabelKeys"] == ["pod-template-hash"]
    assert spread["nodeTaintsPolicy"] == "Honor"


@pytest.mark.parametrize("site", [variant(), variant(chick0=BOTH, chick1={"purpose": "user"})])
def test_kubeadms_deployment_takes_it(site: Site) -> None:
    laid_over = merged(KUBEADMS, yaml.safe_load(dns_manifest(site)))
    assert laid_over["spec"]["template"]["spec"]["containers"]
    kubernetes_validate.validate(laid_over, SITE["kubernetes"].rpartition(".")[0], strict=True)
