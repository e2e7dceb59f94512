"""Promises of the namespaces."""

from collections.abc import Callable

import kubernetes_validate
import pulumi
import pytest
from pulumi_kubernetes import Provider

from components.cluster.namespaces import Namespaces
from components.contracts.cluster import KubernetesAccess
from stacks.versions import SITE
from tests.recorded import Recorded

NAMESPACE = "kubernetes:core/v1:Namespace"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
OF_THE_CLUSTER = "kubernetes:crd.projectcalico.org/v1:GlobalNetworkPolicy"


@pytest.fixture
def recorded(record: Callable[..., Recorded]) -> Recorded:
    def program() -> dict[str, pulumi.Output[str]]:
        ready = pulumi.ComponentResource("test:index:Ready", "ready")
        provider = Provider("provider", cluster_identifier="test", kubeconfig="{}")
        made = Namespaces("namespaces", KubernetesAccess(provider, ready))
        return vars(made.names)

    return record(program)


def test_their_names_are_fixed(recorded: Recorded) -> None:
    assert recorded.result == {name: name for name in ("hub", "users", "edge", "storage")}
    assert {each.inputs["metadata"]["name"] for each in recorded.all(NAMESPACE)} == set(recorded.result)


def test_no_pod_gets_more_than_the_strictest_level_allows(recorded: Recorded) -> None:
    for each in recorded.all(NAMESPACE):
        assert each.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted", each.name


def test_those_that_lead_to_data_cannot_be_deleted(recorded: Recorded) -> None:
    kept = {
        each.inputs["metadata"]["name"] for each in recorded.all(NAMESPACE) if each.protect and each.retain_on_delete
    }
    assert kept == {"hub", "users", "storage"}


def test_each_is_closed(recorded: Recorded) -> None:
    closed = {each.inputs["metadata"]["namespace"]: each.inputs["spec"] for each in recorded.all(POLICY)}
    assert set(closed) == set(recorded.result)
    for spec in closed.values():
        assert spec == {"podSelector": {"matchLabels": {}}, "policyTypes": ["Ingress", "Egress"]}


def test_the_cluster_closes_them_too_after_their_own_policies(recorded: Recorded) -> None:
    (closed,) = recorded.all(OF_THE_CLUSTER)
    spec = closed.inputs["spec"]
    assert all(f"'{name}'" in spec["selector"] for name in recorded.result)
    assert spec["types"] == ["Ingress", "Egress"]
    assert "ingress" not in spec
    assert "egress" not in spec
    assert spec["order"] > 1000


def test_they_fit_their_schema(recorded: Recorded) -> None:
    minor = SITE["kubernetes"].rpartition(".")[0]
    for each in [*recorded.all(NAMESPACE), *recorded.all(POLICY)]:
        kubernetes_validate.validate(each.inputs, minor, strict=True)
