"""When an object counts as ready, by its kind or by its ``pulumi.com/waitFor``."""

import json
import re
from collections.abc import Callable
from typing import Any

from engine.standins.resources import Failed
from engine.standins.values import Props

Judge = Callable[[Props], str | None]
"""Why the object is not ready yet; None when it is. Raises Failed when it never will be."""


def condition(live: Props, name: str) -> Props:
    """One of ``status.conditions``; empty when it is not there."""
    found = (live.get("status") or {}).get("conditions") or []
    return next((each for each in found if each.get("type") == name), {})


def _is_true(live: Props, name: str) -> bool:
    return condition(live, name).get("status") == "True"


def _observed(live: Props) -> bool:
    generation: int = live["metadata"].get("generation", 0)
    return bool((live.get("status") or {}).get("observedGeneration", 0) >= generation)


def _counted(live: Props, wanted: int, *numbers: str) -> str | None:
    status = live.get("status") or {}
    ready = min(status.get(each, 0) for each in numbers) if wanted else 0
    return None if _observed(live) and ready >= wanted else f"{ready} of {wanted} pods ready"


def _deployment(live: Props) -> str | None:
    progressing = condition(live, "Progressing")
    if _observed(live) and progressing.get("reason") == "ProgressDeadlineExceeded":
        raise Failed(progressing.get("message") or "progress deadline exceeded")
    wanted = live["spec"].get("replicas", 1)
    pending = _counted(live, wanted, "availableReplicas", "readyReplicas", "updatedReplicas")
    if pending is None and (live.get("status") or {}).get("replicas", 0) > wanted:
        return "pods of the previous revision are still there"
    return pending


def _stateful_set(live: Props) -> str | None:
    return _counted(live, live["spec"].get("replicas", 1), "readyReplicas", "updatedReplicas")


def _daemon_set(live: Props) -> str | None:
    wanted = (live.get("status") or {}).get("desiredNumberScheduled", 0)
    return _counted(live, wanted, "numberReady", "updatedNumberScheduled")


def _pod(live: Props) -> str | None:
    phase = (live.get("status") or {}).get("phase", "Unknown")
    if phase == "Failed":
        raise Failed("the pod failed")
    return None if phase == "Succeeded" or _is_true(live, "Ready") else f"the pod is {phase}"


def _job(live: Props) -> str | None:
    if _is_true(live, "Failed"):
        raise Failed(condition(live, "Failed").get("message") or "the job failed")
    return None if _is_true(live, "Complete") else "the job has not completed"


def _phase(*accepted: str) -> Judge:
    def judge(live: Props) -> str | None:
        phase = (live.get("status") or {}).get("phase") or "Pending"
        return None if phase in accepted else f"it is {phase}"

    return judge


def _definition(live: Props) -> str | None:
    return None if _is_true(live, "Established") and _is_true(live, "NamesAccepted") else "it is not established"


def _service(live: Props) -> str | None:
    if live["spec"].get("type") != "LoadBalancer" or ((live.get("status") or {}).get("loadBalancer") or {}).get(
        "ingress"
    ):
        return None
    return "it has no load-balancer address yet"


_JUDGES: dict[str, Judge] = {
    "CustomResourceDefinition": _definition,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Job": _job,
    "PersistentVolume": _phase("Available", "Bound"),
    "PersistentVolumeClaim": _phase("Bound"),
    "Pod": _pod,
    "Service": _service,
    "StatefulSet": _stateful_set,
}


def pending(live: Props) -> str | None:
    """Return why an object is not ready yet, as its kind defines that; None when it is.

    An object of any other kind is ready as soon as it exists.
    """
    judge = _JUDGES.get(live["kind"])
    return judge(live) if judge else None


def selects_pods(live: Props) -> bool:
    """Whether it is a Service whose endpoints can be waited for."""
    spec = live.get("spec") or {}
    return bool(live["kind"] == "Service" and spec.get("selector") and spec.get("clusterIP") != "None")


def complaints(live: Props) -> list[str]:
    """Return what the object itself says about not being ready."""
    found = condition(live, "Available")
    said = [f"[{found['reason']}] {found['message']}"] if found.get("status") == "False" else []
    return [*said, *(["Minimum number of live Pods was not attained"] if live["kind"] == "Deployment" else [])]


def pod_complaints(pod: Props) -> list[str]:
    """Why a Pod's containers do not run."""
    status, name = pod.get("status") or {}, pod["metadata"]["name"]
    scheduled = condition(pod, "PodScheduled")
    found = [f"[Pod {name}]: {scheduled.get('message')}"] if scheduled.get("status") == "False" else []
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = container.get("state") or {}
        said = state.get("waiting") or state.get("terminated") or {}
        # A container that is only being made has no message; one that ended with an error may have none.
        message = said.get("message") or (f"exit status {said['exitCode']}" if said.get("exitCode") else "")
        if message:
            found.append(f"[Pod {name}]: container {container['name']}: [{said.get('reason')}] {message.strip()}")
    return found


def waits_for(annotation: str) -> Judge:
    """``condition=NAME[=VALUE]``, ``jsonpath={.a.b[0]}[=VALUE]``, or a JSON list of these, all of which must hold."""
    rules: list[str] = json.loads(annotation) if annotation.startswith("[") else [annotation]
    tests = [(rule, _rule(rule)) for rule in rules]

    def judge(live: Props) -> str | None:
        return next((f"waiting for {rule}" for rule, holds in tests if not holds(live)), None)

    return judge


def _rule(rule: str) -> Callable[[Props], bool]:
    if match := re.fullmatch(r"condition=([^=]+)(?:=(.*))?", rule):
        name, value = match[1], (match[2] or "True").lower()
        return lambda live: str(condition(live, name).get("status", "")).lower() == value
    if match := re.fullmatch(r"jsonpath=\{?([^{}=]+)\}?(?:=(.*))?", rule):
        steps, wanted = re.findall(r"[^.\[\]'\"]+", match[1]), match[2]
        return lambda live: _holds(_at(live, steps), wanted)
    raise Failed(f"pulumi.com/waitFor: {rule!r} is neither condition=NAME[=VALUE] nor jsonpath={{.path}}[=VALUE]")


def _at(value: Any, steps: list[str]) -> Any:
    for each in steps:
        if isinstance(value, list):
            value = value[int(each)] if each.isdecimal() and int(each) < len(value) else None
        else:
            value = value.get(each) if isinstance(value, dict) else None
    return value


def _holds(value: Any, wanted: str | None) -> bool:
    if value is None:
        return False
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return wanted is None or text == wanted
