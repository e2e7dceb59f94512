"""Kubernetes objects against a real API server."""

import asyncio
import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from converge.report import Difference
from converge.stack import StackClient
from converge.state import revealed
from engine.standins.kubernetes.normal import normal
from engine.standins.values import Props, plain
from ops import cluster as ops_cluster
from ops import locks
from tests.engine.control_plane import ControlPlane, control_plane
from tests.engine.project import Project, until

pytestmark = pytest.mark.engine

Make = Callable[..., Project]

TOKEN = "correct-horse-battery"
JOBS = "/apis/batch/v1/namespaces/space/jobs"
PODS = "/api/v1/namespaces/space/pods"
IDLE = "/apis/apps/v1/namespaces/space/deployments/idle"
MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def stack(project: Make, cluster: ControlPlane) -> Iterator[Project]:
    made = project("objects", kubeconfig=cluster.kubeconfig)
    made.configure_secret("token", TOKEN)
    yield made
    made.destroy()
    assert not cluster.exists("/api/v1/namespaces/space")
    assert not cluster.exists("/api/v1/persistentvolumes/volume")
    assert not cluster.exists("/apis/example.test/v1/widgets")


@pytest.fixture
def own_kind(stack: Project) -> None:
    """Give the stack a kind of its own and an object of it. Removing them takes until the garbage collector hears of
    the kind, half a minute."""
    stack.configure(own_kind=True)


@pytest.mark.usefixtures("own_kind")
def test_life(stack: Project, cluster: ControlPlane) -> None:
    assert set(stack.plan().values()) == {"create"}  # the kubeconfig is not known yet
    stack.up()
    outputs = stack.outputs()
    assert outputs["settings"].startswith("settings-")
    assert outputs["volume_server"] == outputs["cluster_ip"]
    server = cluster.ask("GET", "/api/v1/namespaces/space/services/server")
    assert server["spec"]["clusterIP"] == outputs["cluster_ip"]
    assert stack.resource("volume")["propertyDependencies"]["spec"] == [stack.resource("server")["urn"]]
    assert cluster.ask("GET", "/api/v1/persistentvolumes/volume")["status"]["phase"] == "Bound"

    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert TOKEN not in stack.pulumi("stack", "export")
    assert "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5" not in stack.pulumi("stack", "export")  # the same in base64


@pytest.mark.usefixtures("own_kind")
def test_official_plugin_would_find_no_difference(stack: Project) -> None:
    """It compares the new inputs with the recorded object, of which it keeps what the recorded inputs name (`Diff`)."""
    stack.up()
    objects = _objects(stack)
    assert len(objects) > 10
    for each in objects:
        said, live = revealed(each["inputs"]), revealed(each["outputs"])
        assert pruned(live, plain(normal(live["__inputs"]))) == plain(normal(said)), each["urn"]
        assert live["__initialApiVersion"] == said["apiVersion"]
        assert live["__fieldManager"].startswith("pulumi-kubernetes")
    assert TOKEN not in stack.pulumi("stack", "export")


def test_state_of_an_older_release_is_completed_by_a_refresh(stack: Project, tmp_path: Path) -> None:
    stack.up()
    exported = json.loads(stack.pulumi("stack", "export"))
    for each in exported["deployment"]["resources"]:
        each.get("outputs", {}).pop("__inputs", None)
    file = tmp_path / "older.json"
    file.write_text(json.dumps(exported))
    stack.pulumi("stack", "import", "--file", str(file))
    assert stack.plan() == {}
    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert all("__inputs" in each["outputs"] for each in _objects(stack))
    assert stack.plan() == {}


def _objects(stack: Project) -> list[Props]:
    resources = stack.state(decrypted=True)["resources"]
    return [each for each in resources if each["type"].startswith("kubernetes:")]


def pruned(live: Any, said: Any) -> Any:
    """Return what the inputs name of a recorded object (`pruneMap`, provider/pkg/provider/util.go)."""
    if isinstance(live, dict) and isinstance(said, dict):
        return {key: pruned(live[key], value) for key, value in said.items() if key in live}
    if isinstance(live, list) and isinstance(said, list):
        return [pruned(*each) for each in zip(live, said, strict=False)] + live[len(said) :]
    return live


@pytest.mark.usefixtures("own_kind")
def test_changes(stack: Project, cluster: ControlPlane) -> None:
    stack.up()
    name = stack.outputs()["settings"]
    stack.configure(text="two", size=4, timeo=500)
    assert stack.plan() == dict.fromkeys(("settings", "idle", "widget", "volume"), "update")
    stack.up()
    settings = cluster.ask("GET", f"/api/v1/namespaces/space/configmaps/{name}")
    assert settings["data"]["text"] == "two"
    assert cluster.ask("GET", "/apis/example.test/v1/widgets/widget")["spec"]["size"] == 4
    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")

    stack.configure(mutable=False, text="three")
    plan = stack.plan()
    assert plan.pop("cluster") == "update"
    assert plan == {"settings": "replace", "idle": "update"}
    _, steps = stack.up()
    assert steps.index(("create-replacement", "settings")) < steps.index(("delete-replaced", "settings"))
    assert stack.outputs()["settings"] != name
    assert not cluster.exists(f"/api/v1/namespaces/space/configmaps/{name}")


def test_what_cannot_change_is_replaced(stack: Project, cluster: ControlPlane) -> None:
    stack.up()
    before = cluster.ask("GET", "/api/v1/persistentvolumes/volume")["metadata"]["uid"]
    stack.configure(path="/other")
    assert stack.plan() == {"volume": "replace", "claim": "replace"}
    _, steps = stack.up()
    order = [(operation, name) for operation, name in steps if operation in ("delete-replaced", "create-replacement")]
    assert order == [
        ("delete-replaced", "claim"),
        ("delete-replaced", "volume"),
        ("create-replacement", "volume"),
        ("create-replacement", "claim"),
    ]
    volume = cluster.ask("GET", "/api/v1/persistentvolumes/volume")
    assert volume["metadata"]["uid"] != before
    assert volume["spec"]["nfs"]["path"] == "/other"


def test_moving_the_address_changes_no_volume(stack: Project) -> None:
    stack.up()
    stack.configure(address="198.18.0.201")
    assert stack.plan() == {"server-address": "update"}


@pytest.mark.usefixtures("own_kind")
def test_drift(stack: Project, cluster: ControlPlane) -> None:
    stack.up()
    path = f"/api/v1/namespaces/space/configmaps/{stack.outputs()['settings']}"
    cluster.ask("PATCH", f"{path}?fieldManager=kubectl-edit", {"data": {"text": "by hand"}}, MERGE)
    assert stack.plan() == {}
    stack.pulumi("refresh", "--yes", "--skip-preview")
    assert stack.plan() == {"settings": "update"}
    stack.up()
    assert cluster.ask("GET", path)["data"]["text"] == "one"

    cluster.ask("DELETE", "/apis/example.test/v1/widgets/widget")
    stack.pulumi("refresh", "--yes", "--skip-preview")
    assert stack.plan() == {"widget": "create"}
    stack.up()


def test_conflict_is_recorded_and_retried(stack: Project, cluster: ControlPlane) -> None:
    stack.up()
    path = f"/api/v1/namespaces/space/configmaps/{stack.outputs()['settings']}"
    stack.configure(text="two")
    stack.up()
    cluster.ask("PATCH", f"{path}?fieldManager=someone", {"data": {"text": "someone's"}}, MERGE)
    stack.configure(text="three")
    printed, _ = stack.up(fails=True)
    assert 'conflict with "someone"' in printed
    assert cluster.ask("GET", path)["data"]["text"] == "someone's"
    live = cluster.ask("GET", path)
    kept = [entry for entry in live["metadata"]["managedFields"] if entry["manager"] != "someone"]
    cluster.ask("PATCH", path, {"metadata": {"managedFields": kept}}, MERGE)
    stack.up()
    assert cluster.ask("GET", path)["data"]["text"] == "three"


def test_what_was_scaled_by_hand_is_scaled_back_where_that_is_forced(stack: Project, cluster: ControlPlane) -> None:
    """By the commands of docs/hub-database.md and docs/reinstall.md."""

    def scale() -> None:
        cluster.ask("PATCH", f"{IDLE}/scale?fieldManager=kubectl", {"spec": {"replicas": 1}}, MERGE)

    def replicas() -> object:
        return cluster.ask("GET", IDLE)["spec"]["replicas"]

    stack.up()
    scale()
    assert stack.plan() == {}, "nothing has changed in the settings"
    stack.configure(text="two")
    printed, _ = stack.up(fails=True)
    assert "conflict" in printed
    assert ".spec.replicas" in printed
    assert replicas() == 1
    stack.configure(forced=True)
    stack.up()
    assert replicas() == 0
    scale()
    stack.pulumi("refresh", "--yes", "--skip-preview")
    assert stack.plan() == {"idle": "update"}
    stack.up()
    assert replicas() == 0


def test_waits_until_ready(stack: Project, cluster: ControlPlane) -> None:
    stack.up()
    stack.configure(waiting=True)
    process = stack.begin_up()
    pod = _first_pod(cluster)
    assert process.poll() is None
    ready = {"type": "Ready", "status": "True"}
    cluster.ask("PATCH", f"{pod}/status", {"status": {"phase": "Running", "conditions": [ready]}}, MERGE)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    assert "0 of 1 pods ready" in printed


def test_not_ready_is_recorded_and_retried(stack: Project) -> None:
    stack.configure(waiting=True, patience=3)
    printed, _ = stack.up(fails=True)
    assert "'waiting' timed out waiting to be Ready" in printed
    assert "Minimum number of live Pods was not attained" in printed
    assert stack.resource("waiting")["initErrors"]
    assert stack.plan() == {"waiting": "update"}
    stack.configure(waiting=None)
    stack.up()


def test_job_that_failed_says_why_and_begins_again(stack: Project, cluster: ControlPlane) -> None:
    stack.up()
    stack.configure(job=True)
    process = stack.begin_up()
    pod = _first_pod(cluster)
    why = {"exitCode": 1, "reason": "Error", "message": "80-x.py, line 3: division by zero"}
    main = {"name": "main", "image": "main", "imageID": "", "ready": False, "restartCount": 0}
    ended = {"phase": "Failed", "containerStatuses": [{**main, "state": {"terminated": why}}]}
    cluster.ask("PATCH", f"{pod}/status", {"status": ended}, MERGE)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "80-x.py, line 3: division by zero" in printed
    (failed,) = cluster.ask("GET", JOBS)["items"]
    assert stack.plan() == {"job": "replace"}

    process = stack.begin_up()
    until("another Job", lambda: _another(cluster, failed))
    (of_it,) = (each for each in cluster.ask("GET", PODS)["items"] if each["status"]["phase"] == "Pending")
    cluster.ask("PATCH", f"{PODS}/{of_it['metadata']['name']}/status", {"status": {"phase": "Succeeded"}}, MERGE)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    assert [each["metadata"]["uid"] != failed["metadata"]["uid"] for each in cluster.ask("GET", JOBS)["items"]] == [
        True
    ]
    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    stack.configure(job=None)
    stack.up()


def test_job_of_an_interrupted_update_is_not_forgotten(stack: Project, cluster: ControlPlane) -> None:
    stack.up()
    stack.configure(job=True)
    process = stack.begin_up()
    _first_pod(cluster)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    (running,) = cluster.ask("GET", JOBS)["items"]
    assert stack.resource("job")["outputs"]["metadata"]["name"] == running["metadata"]["name"]
    assert stack.plan() == {"job": "replace"}
    stack.configure(job=None)
    stack.up()
    assert cluster.ask("GET", JOBS)["items"] == []


def _another(cluster: ControlPlane, failed: Any) -> bool:
    """Say whether a Job beside this one has its pod."""
    uids = {each["metadata"]["uid"] for each in cluster.ask("GET", JOBS)["items"]} - {failed["metadata"]["uid"]}
    owners = {each["metadata"]["ownerReferences"][0]["uid"] for each in cluster.ask("GET", PODS)["items"]}
    return bool(uids & owners)


def test_an_existing_object_is_not_taken(stack: Project) -> None:
    stack.configure(twin=True)
    printed, _ = stack.up(fails=True)
    assert '"account" already exists' in printed
    stack.configure(twin=None)
    stack.up()


@pytest.mark.usefixtures("own_kind")
def test_unknown_kubeconfig_replaces_nothing(stack: Project) -> None:
    stack.up()
    stack.configure(round=2)
    plan = stack.plan()
    assert plan.pop("kubeconfig") == "update"
    assert set(plan.values()) <= {"update"}


def test_preview_without_the_cluster(stack: Project, tmp_path: Path) -> None:
    stack.up()
    original = Path(yaml.safe_load((stack.directory / "Pulumi.lab.yaml").read_text())["config"]["objects:kubeconfig"])
    gone = yaml.safe_load(original.read_text())
    gone["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    kept = tmp_path / "kubeconfig"
    shutil.copy(original, kept)
    kept.write_text(yaml.safe_dump(gone))
    stack.configure(kubeconfig=kept)
    stack.pulumi("up", "--yes", "--skip-preview", "--target", stack.resource("kubeconfig")["urn"])
    try:
        stack.configure(text="two")
        assert stack.plan() == {"settings": "update", "idle": "update"}
    finally:
        stack.configure(kubeconfig=original)
        stack.pulumi("up", "--yes", "--skip-preview")


def _first_pod(cluster: ControlPlane) -> str:
    deadline = time.monotonic() + 60
    while not (pods := cluster.ask("GET", PODS)["items"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return f"{PODS}/{pods[0]['metadata']['name']}"


def test_drift_is_seen_while_an_update_holds_the_lock(
    stack: Project, cluster: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search for drift changes neither the state nor the settings."""
    stack.up()
    exported = json.loads(stack.pulumi("stack", "export"))
    urns = ops_cluster.objects(exported)
    path = "/api/v1/namespaces/space/services/server"
    cluster.ask("PATCH", path, {"spec": {"ports": [{"name": "nfs", "port": 2050}]}}, MERGE)
    backend = locks.directory(stack.environment["PULUMI_BACKEND_URL"])
    assert backend is not None
    lock = backend / ".pulumi/locks/organization/objects/lab/someone.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(
        json.dumps({"pid": 1, "username": "x", "hostname": "elsewhere", "timestamp": "2026-01-01T00:00:00Z"})
    )
    assert "locked" in stack.pulumi("up", "--yes", "--skip-preview", fails=True)
    settings = (stack.directory / "Pulumi.lab.yaml").read_text()
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(stack.directory)
    try:
        found = asyncio.run(ops_cluster.look(StackClient("lab"), urns))
    finally:
        lock.unlink()
    assert found == [Difference("cluster", "Service", "space/server spec.ports[0].port", "2049", "2050")]
    assert (stack.directory / "Pulumi.lab.yaml").read_text() == settings
    assert json.loads(stack.pulumi("stack", "export")) == exported
