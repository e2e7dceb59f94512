"""Built-in kinds in the form in which the official provider records them.

It turns an object into Kubernetes' own Go type and back (`Normalize`, provider/pkg/clients/unstructured.go of
pulumi/pulumi-kubernetes): quantities become canonical, and empty fields are omitted where the type says so. The types
are not at hand here, so the fields that matter are listed by name; they are those of k8s.io/api.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from engine.standins.values import UNKNOWN, Props, Secret, plain

_EMPTY_MAPS: Final = frozenset(
    (
        *("annotations", "binaryData", "capacity", "data", "labels", "limits", "matchLabels", "nodeSelector"),
        *("overhead", "parameters", "requests", "selector", "stringData", "volumeAttributes"),
    )
)
"""Fields that are maps, which are omitted when empty. An empty structure (`emptyDir: {}`) says something."""
_EMPTY_LISTS_SAY_SOMETHING: Final = frozenset(
    ("addresses", "containers", "endpoints", "limits", "nodeSelectorTerms", "paths", "rules", "verbs", "versions")
)
_ZEROS: Final = frozenset(
    (
        *("clusterIP", "externalName", "failureThreshold", "generateName", "globalDefault", "healthCheckNodePort"),
        *("hostIP", "hostIPC", "hostNetwork", "hostPID", "hostPort", "initialDelaySeconds", "loadBalancerIP"),
        *("minReadySeconds", "nodePort", "paused", "periodSeconds", "persistentVolumeReclaimPolicy", "prefix"),
        *("priorityClassName", "publishNotReadyAddresses", "readOnly", "schedulerName", "serviceAccountName"),
        *("sessionAffinity", "stdin", "stdinOnce", "subPath", "subPathExpr", "subdomain", "successThreshold"),
        *("terminationMessagePath", "tty", "unschedulable", "volumeName", "workingDir"),
    )
)
"""Plain fields that are omitted when false, 0 or empty. A pointer, such as `automountServiceAccountToken`, is kept."""
_ZEROS_OF: Final[Mapping[str, frozenset[str]]] = {"PersistentVolume": frozenset(("storageClassName",))}
_SELECTOR_IS_A_STRUCTURE: Final = frozenset(
    ("DaemonSet", "Deployment", "Job", "PersistentVolumeClaim", "PodDisruptionBudget", "ReplicaSet", "StatefulSet")
)
_QUANTITIES: Final = frozenset(("capacity", "limits", "overhead", "requests"))
_QUANTITY: Final = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))([numkMGTPE]|[KMGTPE]i)?")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def normal(inputs: Props) -> Props:
    """Return the inputs as the official provider records them; custom kinds, without a Go type, stay as they are."""
    kind, version = str(inputs.get("kind")), str(inputs.get("apiVersion"))
    if kind == "CustomResourceDefinition":
        return _definition(inputs)
    if not is_built_in(version):
        return inputs
    if kind == "Secret":
        return _secret(inputs)
    return {key: value for key, value in _object(inputs, kind).items() if key not in _QUANTITIES or value != {}}


def is_built_in(version: str) -> bool:
    """Whether a kind of this apiVersion is Kubernetes' own."""
    group, slash, _ = version.rpartition("/")
    return not slash or group in ("apps", "autoscaling", "batch", "core", "policy") or group.endswith(".k8s.io")


def _object(value: Props, kind: str, inside: str = "") -> Props:
    found = {key: _field(key, item, kind) for key, item in value.items()}
    if inside in _QUANTITIES:
        return {key: quantity(item) for key, item in found.items()}
    return {key: item for key, item in found.items() if not _omitted(key, item, kind)}


def _field(key: str, value: Any, kind: str) -> Any:
    if isinstance(value, dict):
        return _object(value, kind, key)
    if isinstance(value, list):
        return [_field("", each, kind) for each in value]
    return quantity(value) if key == "sizeLimit" else value


def _omitted(key: str, value: Any, kind: str) -> bool:
    if value is UNKNOWN or value is None or value:
        return False
    if value == {}:
        return key in _EMPTY_MAPS and not (key == "selector" and kind in _SELECTOR_IS_A_STRUCTURE)
    if value == []:
        return key not in _EMPTY_LISTS_SAY_SOMETHING
    return key in _ZEROS or key in _ZEROS_OF.get(kind, ())


def _definition(inputs: Props) -> Props:
    spec = inputs.get("spec")
    kept = {key: value for key, value in inputs.items() if key != "status"}
    if isinstance(spec, dict) and spec.get("preserveUnknownFields") is False:
        kept["spec"] = {key: value for key, value in spec.items() if key != "preserveUnknownFields"}
    return kept


def _secret(inputs: Props) -> Props:
    """Return a Secret with its `stringData` as `data`, as the API server stores it."""
    given, text = plain(inputs.get("data")), plain(inputs.get("stringData"))
    if given is UNKNOWN or text is UNKNOWN or not (given or text):
        return inputs
    data = {key: _encoded_again(value) for key, value in (given or {}).items()}
    data |= {key: value if value is UNKNOWN else _encoded(value) for key, value in (text or {}).items()}
    return {**{key: value for key, value in inputs.items() if key not in ("data", "stringData")}, "data": Secret(data)}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _encoded_again(value: Any) -> Any:
    """Return base64 without white space; the API server refuses what is not base64."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64encode(base64.b64decode("".join(value.split()), validate=True)).decode()
    except binascii.Error:
        return value


def quantity(value: Any) -> Any:
    """Return a quantity in its canonical form; what is none, not known, or has an exponent, stays as it is.

    See https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    if value is UNKNOWN or isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    found = _QUANTITY.fullmatch(str(value))
    if found is None:
        return value
    digits, unit = found.groups()
    if unit in _BINARY:
        return _binary(Decimal(digits) * 1024 ** _BINARY[unit])
    return _decimal(Decimal(digits).scaleb(_DECIMAL[unit or ""]))


def _decimal(number: Decimal) -> str:
    for unit, exponent in reversed(_DECIMAL.items()):
        scaled = number.scaleb(-exponent)
        if number and scaled == scaled.to_integral_value():
            return f"{int(scaled)}{unit}"
    return "0"


def _binary(number: Decimal) -> str:
    if number != number.to_integral_value() or abs(number) < 1024:
        return _decimal(number)
    for unit, power in reversed(_BINARY.items()):
        if number % 1024**power == 0:
            return f"{int(number) // 1024**power}{unit}"
    return str(int(number))
