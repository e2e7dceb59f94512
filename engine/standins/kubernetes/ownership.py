"""Whose fields they are: server-side apply's managers, and taking over what others set before.

See https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-to-server-side-apply
"""

from typing import Any, Final

from engine.standins.kubernetes.api import JSON_PATCH, Cluster
from engine.standins.values import Props

CREATOR: Final = "pulumi-kubernetes"
"""The manager of what an ordinary create sets."""

_TAKEN_OVER: Final = {
    "Apply": ("kubectl",),
    "Update": ("kubectl", "before-first-apply", CREATOR, "pulumi-resource-kubernetes"),
}


def created_here(live: Props) -> bool:
    """Whether the object is still as its creation left it, never applied to since."""
    return any(
        (entry["manager"], entry["operation"]) == (CREATOR, "Update")
        for entry in live["metadata"].get("managedFields") or []
    )


def _merged(one: Props, other: Props) -> Props:
    return {**one, **{key: _merged(one.get(key, {}), value) for key, value in other.items()}}


def taken_over(entries: list[Props], manager: str) -> list[Props] | None:
    """Return the managed fields after `manager` took those of kubectl and of the creation; None when they had none."""
    own: list[Props] = []
    others: list[Props] = []
    taken = 0
    for entry in entries:
        mine = (entry["manager"], entry["operation"]) == (manager, "Apply")
        predecessor = entry["manager"].startswith(_TAKEN_OVER.get(entry["operation"], ()))
        if (mine or predecessor) and not entry.get("subresource"):
            own.append(entry)
            taken += not mine
        else:
            others.append(entry)
    if not taken:
        return None
    fields: Props = {}
    for entry in own:
        fields = _merged(fields, entry["fieldsV1"])
    return [*others, {**own[-1], "manager": manager, "operation": "Apply", "fieldsV1": fields}]


async def take_over(cluster: Cluster, body: Props, manager: str) -> None:
    """Make `manager` the owner of what kubectl and the creation set, so that applying does not conflict with them."""
    live = await cluster.get(body)
    entries = taken_over(live["metadata"].get("managedFields") or [], manager)
    if entries is None:
        return
    change: list[dict[str, Any]] = [
        {"op": "replace", "path": "/metadata/managedFields", "value": entries},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    ]
    await cluster.ask("PATCH", await cluster.path(body), change, JSON_PATCH)
