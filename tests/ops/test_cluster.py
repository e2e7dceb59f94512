"""What the engine's refresh says of Kubernetes objects, as rows."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from converge.report import Difference, NotChecked
from converge.stack import StackClient
from ops import cluster

URN = "urn:pulumi:dev::henhouse::kubernetes:core/v1:Service::hub-service"


def step(old: Any, new: Any, kind: str = "core/v1:Service", detailed: Any = None) -> dict[str, Any]:
    """One step of the refresh, as `pulumi refresh --preview-only --json` prints it."""
    outputs = {"metadata": {"namespace": "hub", "name": "hub"}}

    def state(inputs: Any) -> dict[str, Any] | None:
        return (
            None if inputs is None else {"urn": URN, "type": f"kubernetes:{kind}", "inputs": inputs, "outputs": outputs}
        )

    return {"op": "refresh", "urn": URN, "oldState": state(old), "newState": state(new), "detailedDiff": detailed}


def rows(*steps: dict[str, Any]) -> list[Difference]:
    return list(cluster.differences({"steps": list(steps)}))


def test_object_as_the_program_said_is_not_mentioned() -> None:
    spec = {"spec": {"ports": [{"port": 80}]}}
    assert rows(step(spec, spec, detailed={"status.loadBalancer": {"kind": "update"}})) == []


def test_changed_field_is_named_by_its_path() -> None:
    before, after = ({"spec": {"ports": [{"port": port}], "type": "ClusterIP"}} for port in (80, 81))
    assert rows(step(before, after)) == [Difference("cluster", "Service", "hub/hub spec.ports[0].port", "80", "81")]


def test_missing_field_is_nothing() -> None:
    found = rows(step({"spec": {"selector": {"app": "hub"}}}, {"spec": {}}))
    assert found == [Difference("cluster", "Service", "hub/hub spec.selector", '{"app": "hub"}', "nothing")]


def test_deleted_object_is_missed() -> None:
    assert rows(step({"spec": {}}, None)) == [
        Difference("cluster", "Service", "hub/hub", "it exists", "no such object")
    ]


def test_secret_that_differs_is_not_told() -> None:
    masked = {"data": "[secret]"}
    found = rows(step(masked, masked, kind="core/v1:Secret", detailed={"data.token": {"kind": "update"}}))
    assert found == [Difference("cluster", "Secret", "hub/hub", "the secret", "something else")]


def test_machines_commands_are_not_the_clusters() -> None:
    command = {"op": "refresh", "oldState": {"type": "command:remote:Command"}, "newState": None, "detailedDiff": None}
    assert rows(command) == []


def test_objects_of_a_state_are_those_with_an_id() -> None:
    resources = [
        {"urn": "a", "type": "kubernetes:core/v1:Service", "id": "hub/hub"},
        {"urn": "b", "type": "pulumi:providers:kubernetes", "id": "1"},
        {"urn": "c", "type": "henhouse:kube:Namespaces"},
    ]
    assert cluster.objects({"deployment": {"resources": resources}}) == ["a"]


def test_without_objects_nothing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asyncio.run(cluster.look(StackClient("dev"), [])) == []


def test_cluster_that_does_not_answer_is_said_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pulumi").write_text("#!/bin/sh\necho 'error: the API server does not answer' >&2; exit 255\n")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert asyncio.run(cluster.look(StackClient("dev"), [URN])) == [
        NotChecked("cluster", "kubernetes", "error: the API server does not answer")
    ]
