"""Which servers can run on which nodes, by the site's profiles and Kubernetes' rules; shipped to the hub."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ONLY = "server"
"""The kind where a site has no profiles; the menu calls it so, too (offers.py)."""
PURPOSES = ("user", "any")
_SOFT = "PreferNoSchedule"
"""The effect of a taint that keeps no pod away."""

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """Servers that run on the same nodes: those of a profile, or all where there are no profiles."""

    slug: str = ONLY
    image: str | None = None
    """The image that the profile sets; None where they start with what the menu offers, or the site's."""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Object] = ()

    def can_run(self, node: Object) -> bool:
        """Whether the node has the labels, and no taint that keeps these servers away."""
        labels, taints = node["metadata"].get("labels") or {}, (node.get("spec") or {}).get("taints") or []
        return all(labels.get(name) == value for name, value in self.node_selector.items()) and all(
            taint["effect"] == _SOFT or any(bears(each, taint) for each in self.tolerations) for taint in taints
        )


def bears(toleration: Object, taint: Object) -> bool:
    """Whether a toleration bears a taint (kubernetes, Toleration.ToleratesTaint): without an effect it bears each, and
    without a key, too; without an operator the values have to be equal."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or (toleration.get("value") or "") == (taint.get("value") or "")


def is_for_people(node: Object, purpose_label: str) -> bool:
    """Whether the node is labelled for user servers, and not cordoned.

    A server that bears every taint may be put on a cordoned node. It is about to be drained all the same.
    """
    labels = node["metadata"].get("labels") or {}
    return labels.get(purpose_label) in PURPOSES and not (node.get("spec") or {}).get("unschedulable")


def kinds_of(site: Object) -> list[Kind]:
    """Return the kinds of servers that the settings know."""
    profiles = (site.get("menu") or {}).get("profiles") or [{"slug": ONLY, "kubespawner_override": {}}]
    return [
        Kind(
            each["slug"],
            each["kubespawner_override"].get("image"),
            each["kubespawner_override"].get("node_selector") or {},
            each["kubespawner_override"].get("tolerations") or (),
        )
        for each in profiles
    ]


@dataclass(frozen=True)
class Wanted:
    """An image, and the slugs of the kinds of servers that use it."""

    image: str
    kinds: Collection[str] = (ONLY,)


@dataclass(frozen=True)
class Place:
    """A node, and the kinds of servers that can run on it."""

    node: Object
    kinds: Sequence[Kind] = (Kind(),)

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node["metadata"]["name"])

    def wants(self, wanted: Sequence[Wanted]) -> list[str]:
        """Return the images that servers on the node use."""
        return [each.image for each in wanted if any(kind.slug in each.kinds for kind in self.kinds)]

    def tolerations(self, image: str, wanted: Sequence[Wanted]) -> list[dict[str, Any]]:
        """Return what a pull of the image bears: what a server that uses it does, and for as long as the pull takes."""
        users = {slug for each in wanted if each.image == image for slug in each.kinds}
        kind = next(each for each in self.kinds if each.slug in users)
        return [{key: value for key, value in each.items() if key != "tolerationSeconds"} for each in kind.tolerations]


def places(nodes: Sequence[Object], kinds: Sequence[Kind], purpose_label: str) -> list[Place]:
    """Return the nodes on which a server can run."""
    found = [
        Place(node, [each for each in kinds if each.can_run(node)])
        for node in nodes
        if is_for_people(node, purpose_label)
    ]
    return [place for place in found if place.kinds]
