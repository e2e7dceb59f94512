"""On which nodes a server can run, and which images these have; the rules are held to Kubernetes' own scheduler."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from components.kube.pods import PURPOSE_LABEL
from lab.mirror.programs import KUBERNETES
from programs.hub.images.placing import ONLY, Kind, Place, Wanted, bears, is_for_people, kinds_of, places
from programs.hub.menu import offers
from tests.engine.control_plane import ControlPlane, control_plane, running
from tests.tools import eventually, free_port

LAB, CUDA, COURSE = "quay.io/team/lab:1", "quay.io/team/cuda:1", "quay.io/team/course:1"
GPU_TAINT: Final = {"key": "example.org/gpu", "value": "a100", "effect": "NoSchedule"}
PODS: Final = "/api/v1/namespaces/default/pods"


def node(name: str = "chick1", purpose: str = "user", labels: dict[str, str] | None = None, **spec: Any) -> Any:
    about = {"name": name, "labels": {PURPOSE_LABEL: purpose, **(labels or {})}}
    return {"metadata": about, "spec": spec}


@pytest.mark.parametrize(
    ("about", "wanted"),
    [
        (node(), True),
        (node(purpose="any"), True),
        (node(purpose="core"), False),
        ({"metadata": {"name": "hen"}}, False),
        (node(unschedulable=True), False),
        (node(taints=[GPU_TAINT]), True),
    ],
)
def test_nodes_that_people_get(about: dict[str, Any], wanted: bool) -> None:
    assert is_for_people(about, PURPOSE_LABEL) is wanted


TOLERATIONS: Final[list[list[dict[str, Any]]]] = [
    [],
    [{"operator": "Exists"}],
    [{"operator": "Exists", "effect": "NoSchedule"}],
    [{"key": "example.org/gpu", "operator": "Exists"}],
    [{"key": "example.org/gpu", "operator": "Exists", "effect": "NoExecute"}],
    [{"key": "example.org/gpu", "operator": "Exists", "effect": "PreferNoSchedule"}],
    [{"key": "example.org/gpu", "operator": "Equal", "value": "a100", "effect": "NoSchedule"}],
    [{"key": "example.org/gpu", "value": "a100"}],
    [{"key": "example.org/gpu", "value": "b200"}],
    [{"key": "example.org/gpu"}],
    [{"key": "example.org/other", "operator": "Exists"}],
    [{"key": "example.org/gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}],
    [{"key": "example.org/gpu", "value": "a100"}, {"key": "example.org/other", "operator": "Exists"}],
]
TAINTS: Final[list[list[dict[str, str]]]] = [
    [],
    [GPU_TAINT],
    [{**GPU_TAINT, "effect": "NoExecute"}],
    [{**GPU_TAINT, "effect": "PreferNoSchedule"}],
    [{"key": "example.org/gpu", "effect": "NoSchedule"}],
    [GPU_TAINT, {"key": "example.org/other", "value": "x", "effect": "NoSchedule"}],
    [GPU_TAINT, {**GPU_TAINT, "effect": "NoExecute"}],
]
SELECTORS: Final[list[dict[str, str]]] = [{}, {"example.org/gpu": "yes"}, {"example.org/gpu": "yes", "a": "b"}]
LABELS: Final[list[dict[str, str]]] = [{}, {"example.org/gpu": "yes"}, {"example.org/gpu": "no", "a": "b"}]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Provide a control plane with a scheduler."""
    directory = tmp_path_factory.mktemp("scheduled")
    with control_plane(directory) as found:
        command: list[str | Path] = [
            KUBERNETES.artifact.make() / "kube-scheduler",
            f"--kubeconfig={found.kubeconfig}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
        ]
        eventually("the account of pods", lambda: found.exists(f"{PODS[:-5]}/serviceaccounts/default"), seconds=60)
        with running(command, directory / "scheduler.log"):
            yield found


def up(cluster: ControlPlane, name: str, labels: dict[str, str], taints: list[dict[str, str]]) -> Any:
    """Bring a node up, ready, and return it once the controllers have left it these taints alone."""
    where = f"/api/v1/nodes/{name}"
    about = {"name": name, "labels": {PURPOSE_LABEL: "user", **labels}}
    cluster.ask("POST", "/api/v1/nodes", {"metadata": about, "spec": {"taints": taints}})
    room = {"cpu": "64", "memory": "64Gi", "pods": "1000"}
    conditions = [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]
    status = {"status": {"conditions": conditions, "capacity": room, "allocatable": room}}
    cluster.ask("PATCH", f"{where}/status", status, "application/merge-patch+json")

    def settled() -> bool:
        left = cluster.ask("GET", where)["spec"].get("taints") or []
        return not any(each["key"].startswith("node.kubernetes.io/") for each in left)

    eventually("the controllers' taint is gone", settled, seconds=60)
    return cluster.ask("GET", where)


def server(name: str, kind: Kind, only: str) -> dict[str, Any]:
    """Return the pod of a server of this kind that may be put on one node alone."""
    field = {"key": "metadata.name", "operator": "In", "values": [only]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "server", "image": LAB}],
            "nodeSelector": dict(kind.node_selector),
            "tolerations": [dict(each) for each in kind.tolerations],
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}},
        },
    }


@pytest.mark.programs
def test_scheduler_judges_as_we_do(cluster: ControlPlane) -> None:
    of_taints = [up(cluster, f"taint{index}", {}, taints) for index, taints in enumerate(TAINTS)]
    of_labels = [up(cluster, f"label{index}", labels, []) for index, labels in enumerate(LABELS)]
    pairs = [(Kind(tolerations=each), place) for each in TOLERATIONS for place in of_taints]
    pairs += [(Kind(node_selector=each), place) for each in SELECTORS for place in of_labels]
    for index, (kind, place) in enumerate(pairs):
        cluster.ask("POST", PODS, server(f"server{index}", kind, place["metadata"]["name"]))
    judged: dict[str, bool] = {}

    def all_judged() -> bool:
        for pod in cluster.ask("GET", PODS)["items"]:
            for condition in pod.get("status", {}).get("conditions") or []:
                if condition["type"] == "PodScheduled":
                    judged[pod["metadata"]["name"]] = condition["status"] == "True"
        return len(judged) == len(pairs)

    eventually("the scheduler has judged each", all_judged, seconds=120)
    ours = {f"server{index}": kind.can_run(place) for index, (kind, place) in enumerate(pairs)}
    assert {name: pairs[int(name[6:])] for name in ours if ours[name] != judged[name]} == {}
    assert set(judged.values()) == {True, False}


def test_toleration_without_a_key_bears_every_taint_of_its_effect() -> None:
    exists = {"operator": "Exists", "effect": "NoExecute"}
    assert bears(exists, {**GPU_TAINT, "effect": "NoExecute"})
    assert not bears(exists, GPU_TAINT)


def profile(slug: str, **override: Any) -> dict[str, Any]:
    return {"slug": slug, "kubespawner_override": override}


def test_kinds_are_the_profiles() -> None:
    assert kinds_of({}) == kinds_of({"menu": {"profiles": []}}) == [Kind()]
    assert kinds_of({"menu": {"profiles": [profile("lab"), profile("gpu", image=CUDA, node_selector={"a": "b"})]}}) == [
        Kind("lab"),
        Kind("gpu", CUDA, {"a": "b"}),
    ]


def test_what_has_no_profile_is_called_the_same_in_the_menu() -> None:
    """They are shipped as files beside one another, and neither needs the other."""
    assert ONLY == offers.ONLY


def test_node_has_the_images_of_the_servers_that_can_run_on_it() -> None:
    lab, gpu = Kind("lab"), Kind("gpu", CUDA, {"gpu": "yes"}, [{"key": "example.org/gpu", "operator": "Exists"}])
    nodes = [
        node(),
        node("gpu1", labels={"gpu": "yes"}, taints=[GPU_TAINT]),
        node("gpu2", labels={"gpu": "yes"}),
        node("other", taints=[{"key": "other", "effect": "NoExecute"}]),
        node("hen", purpose="core"),
    ]
    wanted = [Wanted(LAB, {"lab"}), Wanted(CUDA, {"gpu"}), Wanted(COURSE, {"lab", "gpu"})]
    found = {each.name: each.wants(wanted) for each in places(nodes, [lab, gpu], PURPOSE_LABEL)}
    assert found == {"chick1": [LAB, COURSE], "gpu1": [CUDA, COURSE], "gpu2": [LAB, CUDA, COURSE]}


def test_pull_bears_what_a_server_does_for_as_long_as_it_takes() -> None:
    short = {"key": "example.org/gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    lab, gpu = Kind("lab"), Kind("gpu", tolerations=[short])
    wanted = [Wanted(LAB, {"lab"}), Wanted(CUDA, {"gpu"})]
    place = Place(node(), [lab, gpu])
    assert place.tolerations(LAB, wanted) == []
    assert place.tolerations(CUDA, wanted) == [
        {"key": "example.org/gpu", "operator": "Exists", "effect": "NoExecute"},
    ]
