"""Waiting until an object is ready, or gone."""

import asyncio
import time
from typing import Final

from engine.standins.kubernetes.api import Cluster, NotFound, Refused, Unreachable
from engine.standins.kubernetes.manifests import annotation, identity
from engine.standins.kubernetes.readiness import complaints, pending, pod_complaints, selects_pods, waits_for
from engine.standins.resources import Call, Failed
from engine.standins.values import Props

_PATIENCE: Final = 600.0
"""Seconds that an object may take, as in the official provider."""
_UNSEEN: Final = 3.0
"""Seconds within which the endpoint controller can be expected to have seen a new Service."""
_FIRST_PAUSE: Final = 0.3
_LONGEST_PAUSE: Final = 2.0
_NO_PODS: Final = (
    "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels "
    "on any Pods"
)


class NotReady(Exception):
    """The object exists, but did not become ready; `live` is how it was last seen."""

    def __init__(self, live: Props, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.live = live
        self.reasons = reasons


def _patience(call: Call, body: Props) -> float:
    return call.timeout or float(annotation(body, "timeoutSeconds") or _PATIENCE)


async def until_ready(call: Call, cluster: Cluster, live: Props, inputs: Props) -> Props:
    """Return the object once it is ready, as its kind or its annotations define that; raise NotReady otherwise."""
    if annotation(inputs, "skipAwait") == "true" or await _binds_late(cluster, live):
        return live
    wanted = annotation(inputs, "waitFor")
    judge = waits_for(wanted) if wanted else pending
    begun, pause, said = time.monotonic(), _FIRST_PAUSE, ""
    while True:
        try:
            reason = judge(live) or (None if wanted else await _elsewhere(cluster, live, time.monotonic() - begun))
        except Failed as error:
            raise NotReady(live, [str(error), *await _pods(cluster, live)]) from error
        if reason is None:
            return live
        if time.monotonic() - begun > _patience(call, inputs):
            name = live["metadata"]["name"]
            details = complaints(live) or [reason]
            pods = await _pods(cluster, live)
            raise NotReady(live, [f"'{name}' timed out waiting to be Ready", *details, *pods])
        if reason != said:
            await call.say(reason)
            said = reason
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, _LONGEST_PAUSE)
        live = await _seen_again(cluster, live)


async def is_unready(cluster: Cluster, body: Props) -> bool:
    """Say whether the object is there, and is not ready."""
    try:
        live = await cluster.get(body)
    except (NotFound, Refused, Unreachable):
        return False
    try:
        return pending(live) is not None
    except Failed:
        return True


async def _seen_again(cluster: Cluster, live: Props) -> Props:
    """Return the object as it is now, or as it was, while the API server is away or refuses for a moment."""
    try:
        return await cluster.get(live)
    except (Refused, Unreachable):
        return live
    except NotFound as error:
        raise NotReady(live, ["it was deleted while it was waited for"]) from error


async def _elsewhere(cluster: Cluster, live: Props, age: float) -> str | None:
    """Return why other objects, the Pods behind a Service, are not ready; None when they are."""
    return await _endpoints(cluster, live, age) if selects_pods(live) else None


async def _endpoints(cluster: Cluster, live: Props, age: float) -> str | None:
    path = f"/apis/discovery.k8s.io/v1/namespaces/{live['metadata']['namespace']}/endpointslices"
    label = f"kubernetes.io/service-name={live['metadata']['name']}"
    slices = (await cluster.ask("GET", path, labelSelector=label))["items"]
    if not slices:
        return _NO_PODS if age < _UNSEEN else None
    endpoints = [each for found in slices for each in found.get("endpoints") or []]
    ready = [(each.get("conditions") or {}).get("ready", True) for each in endpoints]
    return None if all(ready) else _NO_PODS


async def _pods(cluster: Cluster, live: Props) -> list[str]:
    """Why the Pods of a workload do not run."""
    labels = ((live.get("spec") or {}).get("selector") or {}).get("matchLabels")
    if not labels or live["kind"] not in ("DaemonSet", "Deployment", "Job", "StatefulSet"):
        return []
    path = f"/api/v1/namespaces/{live['metadata']['namespace']}/pods"
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    try:
        found = await cluster.ask("GET", path, labelSelector=selector)
    except (Failed, NotFound):
        return []
    return [each for pod in found["items"] for each in pod_complaints(pod)]


async def _binds_late(cluster: Cluster, live: Props) -> bool:
    """Say whether it is a claim that binds only once a Pod uses it: waiting for that would never end."""
    if live["kind"] != "PersistentVolumeClaim" or not live["spec"].get("storageClassName"):
        return False
    body = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": live["spec"]["storageClassName"]},
    }
    try:
        found = await cluster.get(body)
    except NotFound:
        return False
    return found.get("volumeBindingMode") == "WaitForFirstConsumer"


async def until_gone(call: Call, cluster: Cluster, state: Props) -> None:
    """Return when the object is gone, or another has its name; raises Failed."""
    body, uid = identity(state), state["metadata"].get("uid")
    deadline, pause = time.monotonic() + _patience(call, state), _FIRST_PAUSE
    while time.monotonic() < deadline:
        try:
            live = await cluster.get(body)
        except NotFound:
            return
        if uid and live["metadata"].get("uid") != uid:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, _LONGEST_PAUSE)
    finalizers = ", ".join(live["metadata"].get("finalizers") or []) or "none"
    raise Failed(f"timed out waiting for {live['kind']} {body['metadata']['name']} to go; its finalizers: {finalizers}")
