"""The form in which the official provider records built-in kinds; what it drops is what Go's `omitempty` drops."""

from typing import Any

import pytest

from engine.standins.kubernetes.manifests import difference
from engine.standins.kubernetes.normal import normal, quantity
from engine.standins.values import UNKNOWN, Props, plain
from tests.engine.standins.test_manifests import made

KEPT: Props = {"allocateLoadBalancerNodePorts": False}
VOLUME: Props = {"volumes": [{"emptyDir": {"sizeLimit": "1Gi"}}]}
CONTAINER: Props = {"containers": [{"resources": {"limits": {"cpu": "500m"}}}]}
NOT_KNOWN: Props = {"nodeSelector": UNKNOWN, "hostNetwork": UNKNOWN}


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("0.5", "500m"),
        (0.1, "100m"),
        (2, "2"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1000Mi", "1000Mi"),
        ("2000M", "2G"),
        ("40Ti", "40Ti"),
        ("0", "0"),
        (0, "0"),
        ("-1.5", "-1500m"),
        ("much", "much"),
        (UNKNOWN, UNKNOWN),
    ],
)
def test_quantities(given: Any, canonical: Any) -> None:
    assert quantity(given) == canonical


@pytest.mark.parametrize(
    ("kind", "version", "said", "recorded"),
    [
        ("NetworkPolicy", "networking.k8s.io/v1", {"podSelector": {"matchLabels": {}}}, {"podSelector": {}}),
        ("NetworkPolicy", "networking.k8s.io/v1", {"ingress": [{"from": []}], "egress": []}, {"ingress": [{}]}),
        ("PersistentVolume", "v1", {"storageClassName": "", "mountOptions": ["soft"]}, {"mountOptions": ["soft"]}),
        ("PersistentVolume", "v1", {"capacity": {"storage": "1024Gi"}}, {"capacity": {"storage": "1Ti"}}),
        ("PersistentVolumeClaim", "v1", {"storageClassName": ""}, {"storageClassName": ""}),
        (
            "Service",
            "v1",
            {"selector": {}, "allocateLoadBalancerNodePorts": False},
            {"allocateLoadBalancerNodePorts": False},
        ),
        ("Deployment", "apps/v1", {"replicas": 0, "selector": {}, "paused": False}, {"replicas": 0, "selector": {}}),
        ("Pod", "v1", {"volumes": [{"name": "a", "emptyDir": {}}]}, {"volumes": [{"name": "a", "emptyDir": {}}]}),
        (
            "Pod",
            "v1",
            {"volumes": [{"emptyDir": {"sizeLimit": "1024Mi"}}]},
            {"volumes": [{"emptyDir": {"sizeLimit": "1Gi"}}]},
        ),
        ("Pod", "v1", {"automountServiceAccountToken": False}, {"automountServiceAccountToken": False}),
        (
            "Pod",
            "v1",
            {"containers": [{"resources": {"limits": {"cpu": 0.5}}}]},
            {"containers": [{"resources": {"limits": {"cpu": "500m"}}}]},
        ),
        (
            "Pod",
            "v1",
            {"nodeSelector": UNKNOWN, "hostNetwork": UNKNOWN},
            {"nodeSelector": UNKNOWN, "hostNetwork": UNKNOWN},
        ),
        ("Widget", "example.test/v1", {"matchLabels": {}, "paused": False}, {"matchLabels": {}, "paused": False}),
        ("CustomResourceDefinition", "apiextensions.k8s.io/v1", {"preserveUnknownFields": False}, {}),
    ],
)
def test_what_is_omitted(kind: str, version: str, said: Props, recorded: Props) -> None:
    found = normal({**made(kind, spec=said), "apiVersion": version})
    assert found["spec"] == recorded
    assert normal(found) == found


def test_secret_text_overwrites_secret_data() -> None:
    found = plain(normal(made("Secret", data={"a": " QQ ==\n", "b": "QQ=="}, stringData={"b": "B"})))
    assert found["data"] == {"a": "QQ==", "b": "Qg=="}
    assert "stringData" not in found


def test_empty_data_of_a_config_map_is_omitted() -> None:
    assert normal(made("ConfigMap", data={}, binaryData={})) == made("ConfigMap")
    assert normal(made("ConfigMap", data={"a": ""})) == made("ConfigMap", data={"a": ""})


def test_two_spellings_of_one_object_do_not_differ() -> None:
    """A state of an older release, or of the official provider, has the other spelling."""
    old = made("PersistentVolume", spec={"storageClassName": "", "capacity": {"storage": "1024Gi"}})
    new = made("PersistentVolume", spec={"capacity": {"storage": "1Ti"}})
    for one, other in ((old, new), (new, old)):
        assert not difference(normal(one), normal(other), patch=False, mutable=True).changes
