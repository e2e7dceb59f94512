"""The cluster: a real control plane with a scheduler, nodes that kwok plays, and the hub's account in it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from components.apps.hub.servers import SPAWNER_RULES
from components.kube.pods import PURPOSE_LABEL
from lab.mirror.programs import KUBERNETES
from tests.bench.hub.programs import KWOK, STAGES
from tests.engine.control_plane import ControlPlane, control_plane, running
from tests.tools import eventually, free_port

HUB, USERS, CLAIM = "hub", "users", "homes"
PLAYED: Final = "kwok.x-k8s.io/node"
POD_ADDRESSES: Final = "198.19.0.0/16"
"""Of simulated pods; all are this network namespace's own."""
_NODE_ADDRESS: Final = "198.18.0.50"


@dataclass(frozen=True)
class NodeShape:
    """What every node has."""

    pods: int = 110
    """The kubelet's own limit."""
    cpu: str = "64"
    memory: str = "256Gi"


def node(number: int, shape: NodeShape) -> dict[str, Any]:
    """Return the manifest of a node for people."""
    name = f"simulated{number:03}"
    room = {**{key: str(value) for key, value in asdict(shape).items()}, "ephemeral-storage": "1Ti"}
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", PURPOSE_LABEL: "user"}
    metadata = {"name": name, "annotations": {PLAYED: "fake"}, "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"allocatable": room, "capacity": room}}


def stages(source: Path) -> str:
    """Return upstream's stages as the one file that kwok reads."""
    return "\n---\n".join((source / "kustomize/stage" / name).read_text() for name in STAGES)


def objects() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return what the hub finds in its cluster, each with the path at which it is made."""
    account = {"kind": "ServiceAccount", "name": HUB, "namespace": HUB}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "spawner"}
    rules = [{"apiGroups": each.api_groups, "resources": each.resources, "verbs": each.verbs} for each in SPAWNER_RULES]
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    room = {"storage": "1Ti"}
    volume = {
        "accessModes": ["ReadWriteMany"],
        "capacity": room,
        "storageClassName": "",
        "claimRef": {"namespace": USERS, "name": CLAIM},
        "nfs": {"server": _NODE_ADDRESS, "path": "/homes"},
    }
    claim = {"accessModes": ["ReadWriteMany"], "storageClassName": "", "resources": {"requests": room}}
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{USERS}"
    return (
        ("/api/v1/namespaces", {"metadata": {"name": HUB}}),
        ("/api/v1/namespaces", {"metadata": {"name": USERS, "labels": restricted}}),
        (f"/api/v1/namespaces/{HUB}/serviceaccounts", {"metadata": {"name": HUB}}),
        (f"{rbac}/roles", {"metadata": {"name": "spawner"}, "rules": rules}),
        (f"{rbac}/rolebindings", {"metadata": {"name": "spawner"}, "subjects": [account], "roleRef": role}),
        ("/api/v1/persistentvolumes", {"metadata": {"name": CLAIM}, "spec": volume}),
        (f"/api/v1/namespaces/{USERS}/persistentvolumeclaims", {"metadata": {"name": CLAIM}, "spec": claim}),
    )


@contextmanager
def simulated_cluster(directory: Path, nodes: int, shape: NodeShape) -> Iterator[ControlPlane]:
    """Run the cluster while the block runs; its files are in `directory`."""
    kubernetes, kwok = KUBERNETES.artifact.make(), KWOK.artifact.make()
    (directory / "stages.yaml").write_text(stages(kwok / "source"))
    with ExitStack() as stack:
        plane = stack.enter_context(control_plane(directory))
        stack.enter_context(running(_scheduler(kubernetes, plane), directory / "scheduler.log"))
        stack.enter_context(running(_kwok(kwok, plane), directory / "kwok.log"))
        for path, manifest in objects():
            plane.ask("POST", path, manifest)
        for number in range(nodes):
            plane.ask("POST", "/api/v1/nodes", node(number, shape))
        eventually("all nodes are ready", lambda: _ready(plane) == nodes, seconds=120)
        eventually(
            "pods may be made", lambda: plane.exists(f"/api/v1/namespaces/{USERS}/serviceaccounts/default"), seconds=120
        )
        yield plane


def hub_kubeconfig(plane: ControlPlane) -> str:
    """Return a kubeconfig with the account that the hub has on a site: it may do and is held back as there.

    An administrator's requests are never (https://kubernetes.io/docs/concepts/cluster-administration/flow-control/).
    """
    asked = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {"expirationSeconds": 86400}}
    answer = plane.ask("POST", f"/api/v1/namespaces/{HUB}/serviceaccounts/{HUB}/token", asked)
    found = yaml.safe_load(plane.kubeconfig.read_text())
    found["users"][0]["user"] = {"token": answer["status"]["token"]}
    return yaml.safe_dump(found)


def _ready(plane: ControlPlane) -> int:
    found = plane.ask("GET", "/api/v1/nodes")["items"]
    conditions = [each for node in found for each in node["status"].get("conditions", [])]
    return sum(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _scheduler(programs: Path, plane: ControlPlane) -> list[str | Path]:
    port = free_port()
    return [
        programs / "kube-scheduler",
        f"--kubeconfig={plane.kubeconfig}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
    ]


def _kwok(programs: Path, plane: ControlPlane) -> list[str | Path]:
    return [
        programs / "kwok",
        f"--kubeconfig={plane.kubeconfig}",
        f"--config={plane.directory}/stages.yaml",
        f"--manage-nodes-with-annotation-selector={PLAYED}=fake",
        f"--cidr={POD_ADDRESSES}",
        f"--node-ip={_NODE_ADDRESS}",
    ]
