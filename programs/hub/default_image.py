"""Which image servers start with after the settings named a new one: the one before, until nodes have the new one.

The process that pulls images decides, and keeps it in a file beside the hub's database, which the hub reads.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from keeping import write_whole

LATEST_SECONDS = 3600.0
"""After so long, one node with the new image is enough: a node that cannot pull it does not hold up the others."""
_LARGEST = 1 << 16


@dataclass(frozen=True)
class Default:
    """What servers start with, and what the settings want them to."""

    image: str
    wanted: str
    since: float
    """Since when it is wanted, as seconds since 1970."""
    profiles: Mapping[str, str] = field(default_factory=dict)
    """What the servers of some profiles start with instead: the nodes on which these run are further, or less far."""

    def of(self, profile: str | None) -> str:
        """Return what a server of this profile starts with."""
        return self.profiles.get(profile, self.image) if profile else self.image

    @property
    def images(self) -> set[str]:
        """Every image that a server starts with."""
        return {self.image, *self.profiles.values()}


def following(known: Default | None, wanted: str, nodes_have: Sequence[bool], now: float) -> Default:
    """Return what servers start with from now on.

    `nodes_have` says of each node that takes servers whether it has the wanted image. Where nothing is known, there is
    nothing to stay with. An image that no node can pull never takes the place of one that works.
    """
    if known is None:
        return Default(wanted, wanted, now)
    asked = known if known.wanted == wanted else Default(known.image, wanted, now)
    enough = any(nodes_have) if now - asked.since > LATEST_SECONDS else bool(nodes_have) and all(nodes_have)
    return Default(wanted, wanted, asked.since) if enough else asked


def following_each(
    known: Default | None, wanted: str, nodes_have: Mapping[str, Mapping[str, bool]], now: float
) -> Default:
    """Return what servers start with from now on, for each profile by the nodes on which its servers run.

    `nodes_have` says for each profile whose servers start with the image of the settings, by node, whether that has the
    wanted one. An image that no profile uses waits for nothing.
    """
    together = {node: here for nodes in nodes_have.values() for node, here in nodes.items()}
    whole = following(known, wanted, [*together.values()] if nodes_have else [True], now)
    if known is None:
        return whole
    each = {
        profile: following(replace(known, image=known.of(profile)), wanted, [*nodes.values()], now).image
        for profile, nodes in nodes_have.items()
    }
    return replace(whole, profiles={profile: image for profile, image in each.items() if image != whole.image})


def read_default(path: Path) -> Default | None:
    """Return what the file holds; None if there is none, or it holds nothing that can be used."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_LARGEST))
        # Before profiles had images of their own, the file said nothing of them.
        profiles = {str(profile): str(image) for profile, image in data.get("profiles", {}).items()}
        return Default(str(data["image"]), str(data["wanted"]), float(data["since"]), profiles)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def write_default(path: Path, default: Default) -> None:
    """Replace the file as a whole."""
    write_whole(path, asdict(default))
