"""Objects as the program gives them, and what the provider makes of them before any request."""

from typing import Any, Final

from engine.standins.diffs import Diff, differences, within
from engine.standins.values import UNKNOWN, Props, has_unknown

AUTONAMED: Final = "pulumi.com/autonamed"
REPLACE_UNREADY: Final = "replaceUnready"
"""The annotation, ``pulumi.com/replaceUnready``: the next update replaces a Job that has not completed."""

CLUSTER_SCOPED: Final = frozenset(
    (
        *("APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding"),
        *("CustomResourceDefinition", "IngressClass", "MutatingWebhookConfiguration", "Namespace", "Node"),
        *("PersistentVolume", "PriorityClass", "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy"),
        *("ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "VolumeAttachment"),
    )
)
"""Built-in kinds without a namespace, for when no API server can be reached."""

_IMMUTABLE: Final = {
    "ClusterRoleBinding": ("roleRef",),
    "DaemonSet": ("spec.selector",),
    "Deployment": ("spec.selector",),
    "Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "PersistentVolume": tuple(
        f"spec.{source}" for source in ("cephfs", "csi", "fc", "hostPath", "iscsi", "local", "nfs", "rbd")
    ),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    "Pod": ("spec",),
    "RoleBinding": ("roleRef",),
    "Secret": ("type",),
    "Service": ("spec.clusterIP",),
    "StatefulSet": tuple(
        f"spec.{field}"
        for field in ["podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName", "volumeClaimTemplates"]
    ),
    "StorageClass": ("parameters", "provisioner"),
}
"""What the API server refuses to change, so that only a new object can have it."""


def clean(value: Any) -> Any:
    """Return a copy without nulls and the SDK's own keys; keys that the SDK cannot spell get their dashes back."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if item is not None and not key.startswith("__")}
        return {_spelled(key): clean(item) for key, item in kept.items()}
    return [clean(item) for item in value] if isinstance(value, list) else value


def _spelled(key: str) -> str:
    return key.replace("_", "-") if key.startswith("x_kubernetes_") else key


def annotation(body: Props, name: str) -> str | None:
    """Return the value of ``pulumi.com/<name>``, or None if it is not known."""
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    found = annotations.get(f"pulumi.com/{name}") if isinstance(annotations, dict) else None
    return found if isinstance(found, str) else None


def identity(body: Props) -> Props:
    """Only what says which object it is."""
    metadata = {key: body["metadata"][key] for key in ("name", "namespace") if key in body["metadata"]}
    return {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": metadata}


def id_of(live: Props) -> str:
    """Return the resource's id: ``namespace/name``, or the name alone."""
    metadata = live["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def from_id(token: str, id: str) -> Props:
    """Return the identity that a resource's type and id stand for."""
    _, version, kind = token.split(":")
    namespace, _, name = id.rpartition("/")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version.removeprefix("core/"), "kind": kind.removesuffix("Patch"), "metadata": metadata}


def is_patch(token: str) -> bool:
    """Whether the resource owns only some fields of an object that another made."""
    return token.endswith("Patch")


def autonamed(inputs: Props, olds: Props, fresh_name: str) -> Props:
    """With a name: the one that this provider gave before, or a fresh one."""
    old = olds.get("metadata") or {}
    kept = old.get("name") if (old.get("annotations") or {}).get(AUTONAMED) else None
    given = inputs["metadata"].get("annotations", {})
    annotations = {**given, AUTONAMED: "true"} if isinstance(given, dict) else given
    return {**inputs, "metadata": {**inputs["metadata"], "name": kept or fresh_name, "annotations": annotations}}


def difference(olds: Props, news: Props, patch: bool, mutable: bool, *, begin_again: bool = False) -> Diff:
    """Return the changes and what they require.

    `mutable` says if data of ConfigMaps and Secrets changes in place, unless they are to be immutable
    (`forceNewProperties`, provider/pkg/provider/diff.go); `begin_again` if a new object is needed whatever the changes
    are.
    """
    changes = differences(olds, news)
    fixed = ["metadata.name", "metadata.namespace", "kind", *_IMMUTABLE.get(news["kind"], ())]
    if news["kind"] in ("ConfigMap", "Secret") and (not mutable or news.get("immutable") is True):
        fixed += ["data", "binaryData", "stringData"]
    replaces = [path for path in changes if _needs_new(path, news, fixed)]
    if patch:
        replaces = [path for path in replaces if path.startswith("metadata.")]
    if begin_again:
        path = f'metadata.annotations["pulumi.com/{REPLACE_UNREADY}"]'
        changes, replaces = {**changes, path: "update"}, [*replaces, path]
    # Two objects of one name cannot exist side by side, so the old one goes first.
    same_name = not has_unknown(news["metadata"]) and identity(olds) == identity(news)
    delete_first = bool(replaces) and same_name and annotation(news, "autonamed") is None
    return Diff(changes, replaces, delete_first, named=False)


def _needs_new(path: str, news: Props, fixed: list[str]) -> bool:
    """Say whether a change at `path` needs a new object, because it reaches one of the `fixed` properties.

    A property of which nothing is known yet may hold an immutable one: the engine asks so for whatever depends on an
    object that it must delete before it makes the new one.
    """
    if any(within(path, each) for each in fixed):
        return True
    return news.get(path) is UNKNOWN and any(each.startswith(f"{path}.") for each in fixed)


def with_namespace(inputs: Props, namespace: str | None) -> Props:
    """Return a copy in this namespace, or without a namespace for None."""
    kept = {key: value for key, value in inputs["metadata"].items() if key != "namespace"}
    return {**inputs, "metadata": kept if namespace is None else {**kept, "namespace": namespace}}


def carry_drift(inputs: Any, before: Any, after: Any) -> Any:
    """Return the inputs, with each value that has changed in the cluster since `before` replaced by that of `after`."""
    if before == after:
        return inputs
    if isinstance(inputs, dict) and isinstance(before, dict) and isinstance(after, dict):
        return {
            key: carry_drift(value, before.get(key), after.get(key))
            for key, value in inputs.items()
            if key in after or key not in before
        }
    lists = [each for each in (inputs, before, after) if isinstance(each, list)]
    if len(lists) == 3 and len({len(each) for each in lists}) == 1:
        return [carry_drift(*each) for each in zip(*lists, strict=True)]
    return after
