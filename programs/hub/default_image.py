"""Which image servers start with after the settings named a new one: the one before, until nodes have the new one.

The process that pulls images decides, and keeps it in a file beside the hub's database, which the hub reads.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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


def read_default(path: Path) -> Default | None:
    """Return what the file holds; None if there is none, or it holds nothing that can be used."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_LARGEST))
        return Default(str(data["image"]), str(data["wanted"]), float(data["since"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write_default(path: Path, default: Default) -> None:
    """Replace the file as a whole."""
    write_whole(path, asdict(default))
