"""The pool's condition in Prometheus's text format, for node_exporter's textfile collector.

Only what node_exporter's own zfs collector lacks (it has the pool's state). Each metric has a rule in
components/storage/pool/alerts.yml; a test holds that.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

DIRECTORY: Final = "/var/lib/prometheus/node-exporter"
"""Where Debian's prometheus-node-exporter looks for text files."""
HEALTHY_STATES: Final = ("ONLINE", "AVAIL", "INUSE")
"""States of a disk that works; the last two are those of spares."""

HELP: Final = {
    "henhouse_zpool_unhealthy_disks": "Disks of the pool, spares included, that do not work.",
    "henhouse_zpool_errors": "Read, write and checksum errors of each disk since they were last cleared.",
    "henhouse_zpool_data_errors": "Files with permanent damage.",
    "henhouse_zpool_layout_differences": "Places where the pool's layout is not as the settings say.",
    "henhouse_zpool_dataset_mounted": "Whether a dataset of the settings is mounted at its place.",
    "henhouse_zpool_size_bytes": "Raw size of the pool.",
    "henhouse_zpool_allocated_bytes": "Raw space in use.",
    "henhouse_zpool_scrub_end_timestamp_seconds": "When the last finished scrub ended.",
    "henhouse_zpool_scrub_errors": "Errors that the last scrub or resilver found and could not repair.",
}


def render(name: str, pool: Mapping[str, Any] | None, layout_differences: int, datasets: Mapping[str, bool]) -> str:
    """Return the text for one pool; `pool` is its object of `zpool status -j`, None while it is not imported.

    `datasets` says of each dataset whether it is mounted.
    """
    samples = list(_samples(name, pool, layout_differences, datasets))
    lines = []
    for metric, text in HELP.items():
        values = [f"{metric}{{{labels}}} {value}" for known, labels, value in samples if known == metric]
        if values:
            lines += [f"# HELP {metric} {text}", f"# TYPE {metric} gauge", *values]
    return "\n".join(lines) + "\n"


def _samples(
    name: str, pool: Mapping[str, Any] | None, layout_differences: int, datasets: Mapping[str, bool]
) -> Iterator[tuple[str, str, int]]:
    here = f'pool="{name}"'
    if pool is None:
        return
    disks = list(_disks(pool))
    yield "henhouse_zpool_unhealthy_disks", here, sum(disk["state"] not in HEALTHY_STATES for disk in disks)
    for disk in disks:
        for kind in ("read", "write", "checksum"):
            labels = f'{here},disk="{disk["name"]}",kind="{kind}"'
            yield "henhouse_zpool_errors", labels, int(disk.get(f"{kind}_errors", 0))
    yield "henhouse_zpool_data_errors", here, int(pool.get("error_count", 0))
    yield "henhouse_zpool_layout_differences", here, layout_differences
    for dataset, mounted in datasets.items():
        yield "henhouse_zpool_dataset_mounted", f'{here},dataset="{dataset}"', int(mounted)
    root = pool["vdevs"][name]
    yield "henhouse_zpool_size_bytes", here, int(root["total_space"])
    yield "henhouse_zpool_allocated_bytes", here, int(root["alloc_space"])
    scan = pool.get("scan_stats", {})
    if scan.get("state") == "FINISHED":
        if scan.get("function") == "SCRUB":
            yield "henhouse_zpool_scrub_end_timestamp_seconds", here, int(scan["end_time"])
        yield "henhouse_zpool_scrub_errors", here, int(scan.get("errors", 0))


def _disks(vdev: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the disks below a vdev or a pool; a spare in use is reported twice and yielded once."""
    seen = set()
    for part in ("vdevs", "logs", "special", "dedup", "l2cache", "spares"):
        for child in vdev.get(part, {}).values():
            below = list(_disks(child)) if "vdevs" in child else [child]
            for disk in below:
                if disk["name"] not in seen:
                    seen.add(disk["name"])
                    yield disk


def write(path: Path, text: str) -> None:
    """Replace the file at once, so that the exporter never reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False, encoding="utf-8") as new:
        new.write(text)
    os.chmod(new.name, 0o644)
    os.replace(new.name, path)
