"""Which image is pulled to which node next, decided from what the API server says; shipped to the hub."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from image_names import canonical
from keeping import write_whole
from placing import Object, Place, Wanted

LABELS = {"app.kubernetes.io/name": "jupyterhub", "app.kubernetes.io/component": "image-puller"}
IMAGE = "henhouse.internal/image"
"""The annotation of a pod with the image's requested name."""
PULL_SECONDS = 3300
"""A pull that is not through by then is given up; images of 20 GB come over one gigabit per second in three minutes."""
FIRST_PAUSE, LONGEST_PAUSE = 300.0, 6 * 3600.0
"""After a pull, however it ended, before the same image is pulled to the same node again; twice as long each time."""
STAYED_SECONDS = 24 * 3600.0
"""An image that has been on a node for so long was not removed for want of space: what went before is forgotten."""
LARGEST = 4 << 20
"""Bytes of the file that are read."""
_NO_PULL = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
    | {"SignatureValidationFailed", "ImageInspectError"}
)
"""Reasons of a waiting container whose image is not there (kubernetes, pkg/kubelet/images/types.go)."""
_NOT_YET = frozenset({"", "ContainerCreating", "PodInitializing"})
_HEALTHY = {"Ready": "True", "DiskPressure": "False", "MemoryPressure": "False", "PIDPressure": "False"}

_TOLD = 50
"""A kubelet reports so many images, the largest (nodeStatusMaxImages), unless it is configured to report more."""


def images_of(node: Object) -> frozenset[str]:
    """Return the names of the images that a node says it has; the kubelet tells five names of each at most."""
    listed = node.get("status", {}).get("images") or []
    return frozenset(name for each in listed for name in each.get("names") or [])


def takes_pods(node: Object) -> bool:
    """Whether the node is up and has space. A condition that it does not report is none."""
    said = {each["type"]: each["status"] for each in node.get("status", {}).get("conditions") or []}
    return said.get("Ready") == "True" and all(said.get(each, good) == good for each, good in _HEALTHY.items())


@dataclass(frozen=True)
class Outcome:
    """How a pull stands."""

    ended: bool
    problem: str = ""
    """Why the pull failed; empty where it succeeded, or has not ended."""


def outcome(pod: Object) -> Outcome:
    """Return how a pull stands. A container that could not run was still pulled: an image need not have what we run."""
    status = pod.get("status") or {}
    for container in status.get("containerStatuses") or []:
        state = container.get("state") or {}
        if "running" in state or "terminated" in state:
            if not container.get("imageID") and status.get("reason"):
                return Outcome(True, _sentence(status["reason"], status.get("message")))
            return Outcome(True)
        waiting = state.get("waiting") or {}
        reason = waiting.get("reason", "")
        if reason in _NO_PULL:
            return Outcome(True, _sentence(reason, waiting.get("message")))
        if reason not in _NOT_YET:
            return Outcome(True)
    if status.get("phase") in ("Failed", "Succeeded"):
        return Outcome(
            True, _sentence(status.get("reason") or "ended before its image was there", status.get("message"))
        )
    return Outcome(False)


def _sentence(reason: str, message: Any) -> str:
    text = f"{reason}: {message}" if isinstance(message, str) and message else str(reason)
    return " ".join(text.split())[:400]


@dataclass
class Tried:
    """What became of one image on one node."""

    pulls: int = 0
    next: float = 0.0
    problem: str = ""
    since: float | None = None
    """Since when the node has the image."""


def has(node: Object, image: str, memory: "Memory") -> bool:
    """Whether a node has an image: it says so, or it keeps quiet about its smaller images and has pulled this one."""
    if canonical(image) in images_of(node):
        return True
    quiet = len(node.get("status", {}).get("images") or []) >= _TOLD
    return quiet and memory.pulled(node["metadata"]["name"], image)


@dataclass
class Memory:
    """What was tried before. It is lost with the hub: then everything that is missing is pulled once more."""

    tried: dict[tuple[str, str], Tried] = field(default_factory=dict)

    def note(self, node: str, image: str, problem: str, now: float) -> None:
        """Remember a pull that ended."""
        about = self.tried.setdefault((node, image), Tried())
        about.next = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2**about.pulls)
        about.pulls = min(about.pulls + 1, 30)
        about.problem = problem

    def see(self, node: str, image: str, here: bool, now: float) -> None:
        """Remember whether the node has the image."""
        about = self.tried.get((node, image))
        if about is None:
            return
        about.since = (about.since or now) if here else None
        if here:
            about.problem = ""
        if about.since is not None and now - about.since > STAYED_SECONDS:
            del self.tried[node, image]

    def may_pull(self, node: str, image: str, now: float) -> bool:
        """Whether it is time to pull the image to the node."""
        about = self.tried.get((node, image))
        return about is None or now >= about.next

    def pulled(self, node: str, image: str) -> bool:
        """Whether the last pull was one without a problem."""
        about = self.tried.get((node, image))
        return about is not None and about.pulls > 0 and not about.problem

    def problem(self, node: str, image: str) -> str:
        """Return why the last pull brought no image."""
        about = self.tried.get((node, image))
        return about.problem if about else ""

    def keep(self, nodes: Iterable[str], images: Iterable[str]) -> None:
        """Forget nodes and images that are gone."""
        known, wanted = set(nodes), set(images)
        self.tried = {key: about for key, about in self.tried.items() if key[0] in known and key[1] in wanted}


def status(places: Sequence[Place], wanted: Sequence[Wanted], memory: Memory, now: float) -> dict[str, Any]:
    """Return what pages and metrics say: the images as they are shown, by their names on nodes, and what is where."""
    images = {canonical(each.image): each.image for each in wanted}
    shown = {
        place.name: {
            "takes_pods": takes_pods(place.node),
            "kinds": [kind.slug for kind in place.kinds],
            "wants": [canonical(image) for image in place.wants(wanted)],
            "has": [key for key, image in images.items() if has(place.node, image, memory)],
            "problems": {key: text for key, image in images.items() if (text := memory.problem(place.name, image))},
        }
        for place in places
    }
    return {"seen": now, "images": images, "nodes": shown}


def next_pull(node: Object, wanted: Sequence[str], memory: Memory, now: float) -> str | None:
    """Return the first image that the node lacks, and that it is time to pull."""
    if not takes_pods(node):
        return None
    name = node["metadata"]["name"]
    missing = (image for image in wanted if not has(node, image, memory))
    return next((image for image in missing if memory.may_pull(name, image, now)), None)


def pod_name(node: str) -> str:
    """Return the name of a node's pull. There is one: the API server refuses a second."""
    return f"pull-{node}"


def pod_for(node: str, image: str, pull_secrets: Sequence[str], tolerations: Sequence[Object] = ()) -> dict[str, Any]:
    """Return the pod that makes a node pull an image. It has no right, no home, no account; it asks for nothing, so
    that a full node takes it, and is the first to go. It bypasses the scheduler: nothing is moved for it. What it
    tolerates keeps it on a node whose taints have the effect NoExecute."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod_name(node), "labels": dict(LABELS), "annotations": {IMAGE: image}},
        "spec": {
            "nodeName": node,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": PULL_SECONDS,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "imagePullSecrets": [{"name": name} for name in pull_secrets],
            "tolerations": [dict(each) for each in tolerations],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "runAsGroup": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "pull",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["true"],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


def write_status(path: Path, data: Mapping[str, Any]) -> None:
    """Keep it for the hub."""
    write_whole(path, data)


def read_status(path: Path) -> dict[str, Any] | None:
    """Return what the file holds; None if there is none, or it holds nothing that can be used."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(LARGEST))
        seen, nodes = float(data["seen"]), dict(data["nodes"])
        images = {str(key): str(image) for key, image in data["images"].items()}
        shown = {
            str(name): {
                "takes_pods": bool(node["takes_pods"]),
                "kinds": set(map(str, node["kinds"])),
                "wants": set(map(str, node["wants"])),
                "has": set(map(str, node["has"])),
                "problems": {str(image): str(text) for image, text in node["problems"].items()},
            }
            for name, node in nodes.items()
        }
        return {"seen": seen, "images": images, "nodes": shown}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def about_start(image: str, known: Mapping[str, Any] | None, kind: str) -> str:
    """Return for a person how soon a server of this kind starts with this image; empty where nothing is known of it."""
    key = canonical(image)
    ready = [node for node in known["nodes"].values() if node["takes_pods"]] if known else []
    nodes = [node for node in ready if kind in node["kinds"]]
    if known is None or key not in known["images"] or not nodes:
        return ""
    have = sum(key in node["has"] for node in nodes)
    if have == len(nodes):
        return "on every machine already"
    return f"on {have} of {len(nodes)} machines already" if have else "on no machine yet: the first start takes longer"
