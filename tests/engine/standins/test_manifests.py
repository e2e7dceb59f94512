"""Kubernetes objects before anything is asked."""

import base64
from typing import Any

import pytest

from engine.standins.kubernetes import manifests
from engine.standins.kubernetes.normal import normal
from engine.standins.kubernetes.ownership import created_here, taken_over
from engine.standins.values import UNKNOWN, Props, Secret


def made(kind: str, name: Any = "x", namespace: str = "n", **rest: Any) -> Props:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, **rest}


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        (made("Deployment", spec={"replicas": 1}), made("Deployment", spec={"replicas": 2}), []),
        (
            made("Deployment", spec={"selector": {"matchLabels": {"a": "1"}}}),
            made("Deployment", spec={"selector": {"matchLabels": {"a": "2"}}}),
            ["spec.selector.matchLabels.a"],
        ),
        (
            made("PersistentVolume", spec={"nfs": {"server": "198.18.0.1"}}),
            made("PersistentVolume", spec={"nfs": {"server": UNKNOWN}}),
            ["spec.nfs.server"],
        ),
        (made("PersistentVolume", spec={"nfs": {"server": "a"}}), made("PersistentVolume", spec=UNKNOWN), ["spec"]),
        (made("Service", spec={"clusterIP": "a"}), made("Service", spec={"clusterIP": "b"}), ["spec.clusterIP"]),
        (made("Service", spec={"ports": [{"port": 1}]}), made("Service", spec={"ports": [{"port": 2}]}), []),
        (made("ConfigMap", name="x"), made("ConfigMap", name="y"), ["metadata.name"]),
        (made("ConfigMap", namespace="n"), made("ConfigMap", namespace="m"), ["metadata.namespace"]),
        (made("ConfigMap", data={"a": "1"}), made("ConfigMap", data={"a": "2"}), []),
        (
            made("ConfigMap", data={"a": "1"}, immutable=True),
            made("ConfigMap", data={"a": "2"}, immutable=True),
            ["data.a"],
        ),
        # As the official provider: of the two, the object that is wanted says whether it is immutable.
        (made("ConfigMap", data={"a": "1"}), made("ConfigMap", data={"a": "2"}, immutable=True), ["data.a"]),
        (made("Secret", data={"a": "1"}, immutable=True), made("Secret", data={"a": "2"}), []),
        (made("Secret", type="Opaque"), made("Secret", type="kubernetes.io/tls"), ["type"]),
    ],
)
def test_what_needs_a_new_object(old: Props, new: Props, replaces: list[str]) -> None:
    diff = manifests.difference(old, new, patch=False, mutable=True)
    assert diff.changes
    assert diff.replaces == replaces


def test_data_needs_a_new_object_unless_the_provider_says_mutable() -> None:
    old, new = made("ConfigMap", data={"a": "1"}), made("ConfigMap", data={"a": "2"})
    assert manifests.difference(old, new, patch=False, mutable=False).replaces == ["data.a"]


def test_an_object_of_the_same_name_goes_first() -> None:
    old, new = made("Pod", spec={"a": 1}), made("Pod", spec={"a": 2})
    assert manifests.difference(old, new, patch=False, mutable=False).delete_before_replace
    named_here = {**new["metadata"], "annotations": {manifests.AUTONAMED: "true"}}
    autonamed = {**new, "metadata": named_here}
    assert not manifests.difference(old, autonamed, patch=False, mutable=False).delete_before_replace
    elsewhere = made("Pod", namespace="m", spec={"a": 2})
    assert not manifests.difference(old, elsewhere, patch=False, mutable=False).delete_before_replace


def test_names_given_here_are_kept() -> None:
    nameless: Props = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}
    first = manifests.autonamed(nameless, {}, "settings-0a1b2c3d")
    assert first["metadata"] == {"name": "settings-0a1b2c3d", "annotations": {"pulumi.com/autonamed": "true"}}
    assert manifests.autonamed(nameless, first, "settings-ffffffff") == first
    assert manifests.autonamed(nameless, made("ConfigMap"), "fresh")["metadata"]["name"] == "fresh"


def test_secret_text_becomes_secret_data() -> None:
    given = made("Secret", data={"a": "QQ=="}, stringData={"b": "word", "c": UNKNOWN})
    encoded = normal(given)
    assert "stringData" not in encoded
    assert encoded["data"] == Secret({"a": "QQ==", "b": base64.b64encode(b"word").decode(), "c": UNKNOWN})


def test_what_is_unknown_stays_so_in_another_namespace() -> None:
    moved = manifests.with_namespace(made("Claim", spec=UNKNOWN), "m")
    assert moved["spec"] is UNKNOWN
    assert moved["metadata"] == {"name": "x", "namespace": "m"}
    assert "namespace" not in manifests.with_namespace(moved, None)["metadata"]


def test_clean() -> None:
    assert manifests.clean({"a": None, "__b": 1, "c": [{"d": None, "e": 0}]}) == {"c": [{"e": 0}]}
    assert manifests.clean({"x_kubernetes_int_or_string": True, "a_b": 1}) == {
        "x-kubernetes-int-or-string": True,
        "a_b": 1,
    }


@pytest.mark.parametrize(
    ("token", "id", "identity"),
    [
        ("kubernetes:core/v1:Namespace", "x", ("v1", "Namespace", {"name": "x"})),
        ("kubernetes:apps/v1:Deployment", "n/x", ("apps/v1", "Deployment", {"name": "x", "namespace": "n"})),
        ("kubernetes:apps/v1:DeploymentPatch", "n/x", ("apps/v1", "Deployment", {"name": "x", "namespace": "n"})),
    ],
)
def test_from_id(token: str, id: str, identity: tuple[str, str, Props]) -> None:
    found = manifests.from_id(token, id)
    assert (found["apiVersion"], found["kind"], found["metadata"]) == identity


@pytest.mark.parametrize(
    ("before", "after", "inputs"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}, {"a": 1}),  # what the server adds is not drift
        ({"a": 1}, {"a": 5}, {"a": 5}),
        ({"a": 1}, {}, {}),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, {"a": {"b": [1, 3]}}),
    ],
)
def test_drift_reaches_the_inputs(before: Props, after: Props, inputs: Props) -> None:
    given = {"a": before["a"]}
    assert manifests.carry_drift(given, before, after) == inputs


def entry(manager: str, operation: str, fields: Props, **more: str) -> Props:
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


def test_fields_of_the_creation_are_taken_over() -> None:
    creation = entry("pulumi-kubernetes", "Update", {"f:data": {"f:a": {}}})
    kubectl = entry("kubectl-edit", "Update", {"f:data": {"f:b": {}}})
    stranger = entry("someone", "Update", {"f:data": {"f:c": {}}})
    status = entry("pulumi-kubernetes", "Update", {"f:status": {}}, subresource="status")
    found = taken_over([creation, kubectl, stranger, status], "pulumi-kubernetes-12345678")
    assert found == [
        stranger,
        status,
        entry("pulumi-kubernetes-12345678", "Apply", {"f:data": {"f:a": {}, "f:b": {}}}),
    ]
    assert taken_over(found, "pulumi-kubernetes-12345678") is None
    assert created_here({"metadata": {"managedFields": [creation]}})
    assert not created_here({"metadata": {"managedFields": found[2:]}})
