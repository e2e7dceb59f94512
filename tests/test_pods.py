"""Every pod of the whole program, for each variant of a site: held to the standard of its namespace, and drainable."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import pytest

from components.cluster.namespaces.component import NAMES, POD_SECURITY
from tests.recorded import Recorded, Registration
from tests.test_variants import EACH, variant

Pod = Mapping[str, Any]
WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")
VOLUMES: Final = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
HARMLESS_SYSCTLS: Final = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
}


def containers(pod: Pod) -> list[Pod]:
    """Return all containers of a pod, those that run first or on demand too."""
    return [each for kind in ("initContainers", "containers", "ephemeralContainers") for each in pod.get(kind) or ()]


def security(part: Pod) -> Mapping[str, Any]:
    """Return the security context of a pod or a container."""
    found: Mapping[str, Any] = part.get("securityContext") or {}
    return found


def each_has(pod: Pod, name: str, accepted: Callable[[Any], bool]) -> bool:
    """Return whether each container's setting is accepted, or else the pod's where it has none."""
    return all(accepted(security(each).get(name, security(pod).get(name))) for each in containers(pod))


def none_has(pod: Pod, name: str, *allowed: Any) -> bool:
    """Return whether neither the pod nor a container sets it to something else."""
    return all(security(each).get(name) in (None, *allowed) for each in (pod, *containers(pod)))


def none_has_root(pod: Pod) -> bool:
    """Return whether no number is root's."""
    return all(security(each).get("runAsUser") != 0 for each in (pod, *containers(pod)))


RESTRICTED: Final[Mapping[str, Callable[[Pod], bool]]] = {
    "no host process": lambda pod: none_has(pod, "windowsOptions"),
    "no namespace of the host": lambda pod: not any(pod.get(f"host{each}") for each in ("Network", "PID", "IPC")),
    "not privileged": lambda pod: none_has(pod, "privileged", False),
    "all capabilities dropped": lambda pod: all(
        "ALL" in (security(each).get("capabilities") or {}).get("drop", ()) for each in containers(pod)
    ),
    "at most one capability added": lambda pod: all(
        set((security(each).get("capabilities") or {}).get("add") or ()) <= {"NET_BIND_SERVICE"}
        for each in containers(pod)
    ),
    "volumes that need nothing of the host": lambda pod: all(
        len(volume) == 2 and set(volume) - {"name"} <= VOLUMES for volume in pod.get("volumes") or ()
    ),
    "no port of the host": lambda pod: (
        not any(port.get("hostPort") for each in containers(pod) for port in each.get("ports") or ())
    ),
    "AppArmor as it is": lambda pod: all(
        (security(each).get("appArmorProfile") or {}).get("type", "RuntimeDefault") in ("RuntimeDefault", "Localhost")
        for each in (pod, *containers(pod))
    ),
    "SELinux as it is": lambda pod: none_has(pod, "seLinuxOptions"),
    "proc as it is": lambda pod: none_has(pod, "procMount", "Default"),
    "sysctls of its own namespaces": lambda pod: (
        {each["name"] for each in security(pod).get("sysctls") or ()} <= HARMLESS_SYSCTLS
    ),
    "no more rights than it starts with": lambda pod: all(
        security(each).get("allowPrivilegeEscalation") is False for each in containers(pod)
    ),
    "not root, said": lambda pod: each_has(pod, "runAsNonRoot", lambda said: said is True),
    "not root, by number": none_has_root,
    "system calls filtered": lambda pod: each_has(
        pod, "seccompProfile", lambda said: (said or {}).get("type") in ("RuntimeDefault", "Localhost")
    ),
    "no probe of another host": lambda pod: (
        not any((handler.get(kind) or {}).get("host") for handler in handlers(pod) for kind in ("httpGet", "tcpSocket"))
    ),
}
"""The profile `restricted`, rule by rule (https://kubernetes.io/docs/concepts/security/pod-security-standards/)."""


def handlers(pod: Pod) -> Iterator[Pod]:
    """Return whatever asks a container something."""
    for each in containers(pod):
        yield from (each[probe] for probe in ("livenessProbe", "readinessProbe", "startupProbe") if each.get(probe))
        yield from (each.get("lifecycle") or {}).values()


def broken(pod: Pod) -> list[str]:
    """Return the rules that a pod does not keep."""
    return [rule for rule, keeps in RESTRICTED.items() if not keeps(pod)]


def pods(recorded: Recorded) -> dict[str, tuple[str, Pod]]:
    """Return the namespace and the pod of every workload, by its name in the state."""
    return {each.name: (each.inputs["metadata"]["namespace"], _pod(each)) for each in recorded if _is_workload(each)}


def _is_workload(each: Registration) -> bool:
    return each.type.startswith("kubernetes:") and each.inputs.get("kind") in WORKLOADS and ours(each)


def ours(each: Registration) -> bool:
    """Return whether it is in one of the site's own namespaces; Calico's and Kubernetes' are of their makers."""
    return each.inputs.get("metadata", {}).get("namespace") in NAMES


def _is_meant(each: Registration, namespace: str, labels: Mapping[str, str]) -> bool:
    has = each.inputs["spec"]["template"]["metadata"]["labels"]
    return bool(each.inputs["metadata"]["namespace"] == namespace and labels.items() <= has.items())


def _pod(each: Registration) -> Pod:
    spec = each.inputs["spec"]
    if each.inputs["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    found: Pod = spec if each.inputs["kind"] == "Pod" else spec["template"]["spec"]
    return found


@cache
def good() -> Pod:
    """Return a pod that keeps every rule: the proxy's."""
    return pods(variant("the virtual rack"))["hub-proxy"][1]


@pytest.mark.parametrize("name", EACH)
def test_every_pod_keeps_the_restricted_standard(name: str) -> None:
    found = pods(variant(name))
    assert {"hub-server", "hub-proxy", "edge-proxy"} <= found.keys()
    assert {name: rules for name, (_, pod) in found.items() if (rules := broken(pod))} == {}


@pytest.mark.parametrize("name", EACH)
def test_every_namespace_of_ours_enforces_it(name: str) -> None:
    made = {
        each.inputs["metadata"]["name"]: each.inputs["metadata"]["labels"]
        for each in variant(name).all("kubernetes:core/v1:Namespace")
    }
    for namespace in NAMES:
        assert made[namespace] == POD_SECURITY
    assert POD_SECURITY["pod-security.kubernetes.io/enforce"] == "restricted"


def with_container(**changes: Any) -> Pod:
    """Return a good pod whose first container has other security settings; None takes one away."""
    container, *others = good()["containers"]
    changed = {key: value for key, value in {**security(container), **changes}.items() if value is not None}
    return {**good(), "containers": [{**container, "securityContext": changed}, *others]}


def with_pod(**changes: Any) -> Pod:
    return {**good(), **changes}


def with_security(**changes: Any) -> Pod:
    changed = {key: value for key, value in {**security(good()), **changes}.items() if value is not None}
    return with_pod(securityContext=changed)


@pytest.mark.parametrize(
    ("pod", "rule"),
    [
        (lambda: with_pod(hostNetwork=True), "no namespace of the host"),
        (lambda: with_pod(hostPID=True), "no namespace of the host"),
        (lambda: with_container(privileged=True), "not privileged"),
        (lambda: with_container(capabilities=None), "all capabilities dropped"),
        (lambda: with_container(capabilities={"drop": ["NET_RAW"]}), "all capabilities dropped"),
        (
            lambda: with_container(capabilities={"drop": ["ALL"], "add": ["SYS_PTRACE"]}),
            "at most one capability added",
        ),
        (
            lambda: with_pod(volumes=[{"name": "x", "hostPath": {"path": "/"}}]),
            "volumes that need nothing of the host",
        ),
        (lambda: with_pod(volumes=[{"name": "x", "nfs": {}}]), "volumes that need nothing of the host"),
        (lambda: with_container(procMount="Unmasked"), "proc as it is"),
        (lambda: with_container(appArmorProfile={"type": "Unconfined"}), "AppArmor as it is"),
        (lambda: with_container(seLinuxOptions={"type": "spc_t"}), "SELinux as it is"),
        (lambda: with_container(windowsOptions={"hostProcess": True}), "no host process"),
        (lambda: with_security(sysctls=[{"name": "kernel.msgmax", "value": "1"}]), "sysctls of its own namespaces"),
        (lambda: with_container(allowPrivilegeEscalation=None), "no more rights than it starts with"),
        (lambda: with_container(runAsUser=0), "not root, by number"),
        (lambda: with_security(runAsNonRoot=None), "not root, said"),
        (lambda: with_container(runAsNonRoot=False), "not root, said"),
        (lambda: with_security(seccompProfile=None), "system calls filtered"),
        (lambda: with_security(seccompProfile={"type": "Unconfined"}), "system calls filtered"),
        (
            lambda: with_pod(initContainers=[{"name": "x", "securityContext": {"runAsNonRoot": True}}]),
            "all capabilities dropped",
        ),
        (
            lambda: with_pod(containers=[{**good()["containers"][0], "ports": [{"hostPort": 80}]}]),
            "no port of the host",
        ),
        (
            lambda: with_pod(
                containers=[{**good()["containers"][0], "livenessProbe": {"httpGet": {"host": "192.0.2.1"}}}]
            ),
            "no probe of another host",
        ),
    ],
)
def test_the_rules_find_what_breaks_them(pod: Callable[[], Pod], rule: str) -> None:
    assert rule in broken(pod())


@pytest.mark.parametrize("name", EACH)
def test_no_budget_can_block_a_drain(name: str) -> None:
    """Of one pod as of many, one may go; and one that does not work, always."""
    for each in variant(name).all("kubernetes:policy/v1:PodDisruptionBudget"):
        spec = each.inputs["spec"]
        assert spec["maxUnavailable"] == 1, each.name
        assert spec.get("minAvailable") is None, each.name
        assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow", each.name
        wanted = (each.inputs["metadata"]["namespace"], spec["selector"]["matchLabels"])
        selected = [other.name for other in variant(name) if _is_workload(other) and _is_meant(other, *wanted)]
        assert len(selected) == 1, f"{each.name} is about {selected}"


@pytest.mark.parametrize("name", EACH)
def test_placeholders_give_way_to_everybody(name: str) -> None:
    classes = {each.name: each.inputs for each in variant(name).all("kubernetes:scheduling.k8s.io/v1:PriorityClass")}
    for each in classes.values():
        assert not each.get("globalDefault"), "pods that are not ours would be changed"
    assert all(
        inputs["value"] < 0 if "placeholder" in made else inputs["value"] > 0 for made, inputs in classes.items()
    )
