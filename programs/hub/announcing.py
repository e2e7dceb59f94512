"""What the hub announces: a file that changes while the hub runs; shipped to the hub beside its configuration."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGES: Mapping[str, str] = {
    "login.html": "login",
    "native-login.html": "login",
    "spawn.html": "spawn",
    "spawn_pending.html": "spawn",
    "home.html": "home",
    "logout.html": "logout",
}
"""The place that each template is, where it is one."""
LEVELS = ("info", "warning", "danger")
EVERYWHERE = "everywhere"


def announced(file: Path, template: str | None) -> Iterator[dict[str, str]]:
    """Yield `text` and `level` of what a page shows. A file that is not there, or makes no sense, announces nothing:
    whoever reads a page came for something else."""
    try:
        entries = json.loads(file.read_text())
    except (OSError, ValueError):
        return
    place = PAGES.get(template or "")
    for each in entries if isinstance(entries, list) else ():
        if _is_whole(each) and (EVERYWHERE in each["where"] or place in each["where"]):
            yield {"text": each["text"], "level": each["level"]}


def _is_whole(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("text"), str)
        and entry.get("level") in LEVELS
        and isinstance(entry.get("where"), list)
    )
