"""`henhouse-zpool check|apply|import|metrics SPEC`: the pool of a settings file, made true or only looked at.

`check` prints what differs on one line and ends with 1. `apply` imports the pool where its disks hold one, creates it
when every disk is blank, and sets properties; every check comes before the first write, a pool's layout is never
changed, and nothing is ever forced. `import` only imports, at boot.
"""

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from . import hostid, metrics, system
from .disks import Disk, Refusal, importable, unfit
from .layout import BY_ID, Spec, create_arguments, differences, reported_layout


def _layout_differences(spec: Spec) -> list[str]:
    pool = system.status(spec.name)
    if pool is None:
        return [f"the pool {spec.name} is not imported"]
    name = partial(system.disk_of, system.disk_names(spec))
    return differences(spec.layout, reported_layout(pool, spec.layout, name))


def _property_differences(spec: Spec) -> list[tuple[str, list[str]]]:
    """Return what is wrong with properties and datasets of an imported pool, with the command that corrects each."""
    found = system.pool_properties(spec.name, list(spec.pool_properties))
    wrong = [
        (f"{key} of the pool is {found[key]}, not {value}", ["zpool", "set", f"{key}={value}", spec.name])
        for key, value in spec.pool_properties.items()
        if found[key] != value
    ]
    there = system.datasets(spec.name)
    for dataset, wanted in spec.datasets.items():
        if dataset not in there:
            options = [word for key, value in wanted.items() for word in ("-o", f"{key}={value}")]
            # -u: mounting is the mount unit's work.
            wrong.append((f"the dataset {dataset} does not exist", ["zfs", "create", "-u", *options, dataset]))
            continue
        values = system.dataset_properties(dataset, list(wanted))
        wrong += [
            (f"{key} of {dataset} is {values[key]}, not {value}", ["zfs", "set", f"{key}={value}", dataset])
            for key, value in wanted.items()
            if values[key] != value
        ]
    return wrong


def check(spec: Spec) -> list[str]:
    """Return everything that differs from the settings."""
    layout = _layout_differences(spec)
    if system.status(spec.name) is None:
        return layout
    return layout + [sentence for sentence, _ in _property_differences(spec)]


def apply(spec: Spec) -> list[str]:
    """Make the pool as the settings say; return an empty list.

    Raise `Refusal` where that would touch what is there.
    """
    if system.status(spec.name) is None:
        _bring(spec)
    if layout := _layout_differences(spec):
        raise Refusal(
            f"the pool {spec.name} has another layout than the settings: {'; '.join(layout)}. A layout is never "
            f"changed here: write into the settings what `zpool status -P {spec.name}` shows, or change the pool by "
            "hand"
        )
    if reasons := _too_small(spec):
        raise Refusal(f"nothing was written: {'; '.join(reasons)}")
    for _, command in _property_differences(spec):
        system.run(*command)
    return []


def _too_small(spec: Spec) -> list[str]:
    """Return which quotas are less than what the dataset's files take already, which zfs-set(8) refuses."""
    found = []
    for dataset in sorted(spec.datasets.keys() & system.datasets(spec.name)):
        if quota := spec.datasets[dataset].get("refquota"):
            taken = system.dataset_properties(dataset, ["referenced"])["referenced"]
            if int(taken) > int(quota):
                found.append(
                    f"the quota of {dataset} is {quota} bytes, and its files take {taken}: give it more, or delete "
                    f"some in its directory first (its snapshots do not count)"
                )
    return found


def import_pool(spec: Spec) -> list[str]:
    """Import the pool where the disks hold one; return an empty list.

    Raise `Refusal` when they hold none, or when another machine had it last.
    """
    if system.status(spec.name) is None and not _imported(spec, system.inspect(spec)):
        raise Refusal(f"the pool {spec.name} is on none of its disks")
    return []


def _imported(spec: Spec, disks: Sequence[Disk]) -> bool:
    """Import the pool that these disks hold; return whether there is one."""
    guid = importable(spec.name, disks)
    if guid is None:
        return False
    labels = [label for disk in disks for label in disk.labels]
    needed = hostid.to_take_back(labels, guid, hostid.current(), os.uname().nodename, system.imported_pools())
    if needed is not None:
        hostid.take(needed)
    # By guid: no other pool of the same name can be meant.
    system.run("zpool", "import", "-N", "-d", BY_ID, guid)
    return True


def _bring(spec: Spec) -> None:
    disks = system.inspect(spec)
    if _imported(spec, disks):
        return
    if reasons := unfit(disks, system.unused_disks(spec)):
        raise Refusal(
            f"the pool {spec.name} cannot be created, and nothing was written: {'; '.join(reasons)}. Correct "
            "storage.pool in the settings, or, where nothing on a disk is needed, blank it by hand "
            f"(`wipefs --all {BY_ID}/NAME`, partitions first)"
        )
    system.run("zpool", "create", *create_arguments(spec))


def write_metrics(spec: Spec) -> list[str]:
    """Write the pool's condition for node_exporter's textfile collector."""
    pool = system.status(spec.name)
    layout = [] if pool is None else _layout_differences(spec)
    there = system.mounted(Path("/proc/self/mounts").read_text(encoding="utf-8"))
    datasets = {name: name in there for name, properties in spec.datasets.items() if properties["canmount"] == "on"}
    text = metrics.render(spec.name, pool, len(layout), datasets)
    metrics.write(Path(metrics.DIRECTORY, f"zpool_{spec.name}.prom"), text)
    return []


VERBS: dict[str, Callable[[Spec], list[str]]] = {
    "check": check,
    "apply": apply,
    "import": import_pool,
    "metrics": write_metrics,
}


def main(arguments: list[str]) -> int:
    """Run one verb and return the exit status."""
    if len(arguments) != 2 or arguments[0] not in VERBS:
        print(f"usage: henhouse-zpool {'|'.join(VERBS)} SPEC", file=sys.stderr)
        return 2
    verb, path = arguments
    try:
        found = VERBS[verb](Spec.parse(Path(path).read_text(encoding="utf-8")))
    except Refusal as refusal:
        if verb != "check":
            print(f"henhouse-zpool: {refusal}", file=sys.stderr)
            return 1
        found = [str(refusal)]
    if found:
        print("; ".join(found).replace("\n", " "))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
