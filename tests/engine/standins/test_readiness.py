"""When an object counts as ready."""

import pytest

from engine.standins.kubernetes.readiness import complaints, pending, pod_complaints, selects_pods, waits_for
from engine.standins.resources import Failed
from engine.standins.values import Props


def made(kind: str, spec: Props | None = None, status: Props | None = None, generation: int = 1) -> Props:
    metadata = {"name": "x", "generation": generation}
    return {"kind": kind, "metadata": metadata, "spec": spec or {}, "status": status or {}}


def condition(name: str, status: str = "True", **more: str) -> Props:
    return {"type": name, "status": status, **more}


RUNNING = {"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "updatedReplicas": 2}


@pytest.mark.parametrize(
    ("live", "ready"),
    [
        (made("ConfigMap"), True),
        (made("Deployment", {"replicas": 2}, RUNNING), True),
        (made("Deployment", {"replicas": 2}, RUNNING, generation=2), False),
        (made("Deployment", {"replicas": 2}, {**RUNNING, "updatedReplicas": 1}), False),
        (made("Deployment", {"replicas": 2}, {**RUNNING, "replicas": 3}), False),
        (made("Deployment", {"replicas": 0}, {"observedGeneration": 1}), True),
        (made("Deployment", {}, {"observedGeneration": 1}), False),
        (made("StatefulSet", {"replicas": 2}, RUNNING), True),
        (made("StatefulSet", {"replicas": 2}, {**RUNNING, "readyReplicas": 1}), False),
        (
            made(
                "DaemonSet",
                status={
                    "observedGeneration": 1,
                    "desiredNumberScheduled": 3,
                    "numberReady": 3,
                    "updatedNumberScheduled": 3,
                },
            ),
            True,
        ),
        (made("DaemonSet", status={"observedGeneration": 1, "desiredNumberScheduled": 3, "numberReady": 2}), False),
        (made("Pod", status={"phase": "Running", "conditions": [condition("Ready")]}), True),
        (made("Pod", status={"phase": "Running", "conditions": [condition("Ready", "False")]}), False),
        (made("Pod", status={"phase": "Succeeded"}), True),
        (made("Job", status={"conditions": [condition("Complete")]}), True),
        (made("Job"), False),
        (made("PersistentVolumeClaim", status={"phase": "Bound"}), True),
        (made("PersistentVolumeClaim", status={"phase": "Pending"}), False),
        (made("PersistentVolume", status={"phase": "Available"}), True),
        (made("Service", {"type": "ClusterIP"}), True),
        (made("Service", {"type": "LoadBalancer"}, {"loadBalancer": {}}), False),
        (made("Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "198.18.48.1"}]}}), True),
        (
            made(
                "CustomResourceDefinition",
                status={"conditions": [condition("Established"), condition("NamesAccepted")]},
            ),
            True,
        ),
        (made("CustomResourceDefinition", status={"conditions": [condition("NamesAccepted")]}), False),
    ],
)
def test_pending(live: Props, ready: bool) -> None:
    assert (pending(live) is None) == ready


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        (made("Job", status={"conditions": [condition("Failed", message="too many retries")]}), "too many retries"),
        (made("Pod", status={"phase": "Failed"}), "the pod failed"),
        (
            made(
                "Deployment",
                status={
                    "observedGeneration": 1,
                    "conditions": [
                        condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="no progress")
                    ],
                },
            ),
            "no progress",
        ),
    ],
)
def test_what_never_becomes_ready(live: Props, reason: str) -> None:
    with pytest.raises(Failed, match=reason):
        pending(live)


@pytest.mark.parametrize(
    ("rule", "status", "ready"),
    [
        ("condition=Ready", {"conditions": [condition("Ready")]}, True),
        ("condition=Ready", {"conditions": [condition("Ready", "False")]}, False),
        ("condition=Stalled=False", {"conditions": [condition("Stalled", "False")]}, True),
        ("condition=Ready", {}, False),
        ("jsonpath={.status.phase}=Running", {"phase": "Running"}, True),
        ("jsonpath={.status.phase}=Running", {"phase": "Pending"}, False),
        ("jsonpath={.status.phase}", {"phase": "anything"}, True),
        ("jsonpath={.status.phase}", {}, False),
        ("jsonpath={.status.items[1].ok}=true", {"items": [{}, {"ok": True}]}, True),
        ("jsonpath={.status.items[1].ok}=true", {"items": [{}]}, False),
        ('["condition=A", "jsonpath={.status.b}=1"]', {"conditions": [condition("A")], "b": 1}, True),
        ('["condition=A", "jsonpath={.status.b}=1"]', {"conditions": [condition("A")], "b": 2}, False),
    ],
)
def test_waits_for(rule: str, status: Props, ready: bool) -> None:
    assert (waits_for(rule)(made("Widget", status=status)) is None) == ready


def test_waits_for_refuses_what_it_cannot_read() -> None:
    with pytest.raises(Failed, match="neither condition"):
        waits_for("ready=yes")


def test_services_that_select_pods() -> None:
    assert selects_pods(made("Service", {"selector": {"app": "x"}, "clusterIP": "198.18.32.5"}))
    assert not selects_pods(made("Service", {"clusterIP": "198.18.32.5"}))
    assert not selects_pods(made("Service", {"selector": {"app": "x"}, "clusterIP": "None"}))


def test_complaints_name_the_cause() -> None:
    status = {"conditions": [condition("Available", "False", reason="Few", message="no pods")]}
    assert complaints(made("Deployment", status=status))[0] == "[Few] no pods"
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "back-off"}}, "name": "main"}
    assert pod_complaints(made("Pod", status={"containerStatuses": [waiting]})) == [
        "[Pod x]: container main: [ImagePullBackOff] back-off"
    ]
    ended = {"state": {"terminated": {"reason": "Error", "message": "80-x.py, line 3: no\n"}}, "name": "main"}
    assert pod_complaints(made("Pod", status={"containerStatuses": [ended]})) == [
        "[Pod x]: container main: [Error] 80-x.py, line 3: no"
    ]
