"""What a run has shown, for people and for programs."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from ops.tables import table
from stacks.versions import SITE
from tests.bench.computer import computer
from tests.bench.hub.measure import Phase, Wanted
from tests.bench.hub.usage import Spent

MIB = 2**20
VERSIONS = ("jupyterhub", "configurable_http_proxy", "kubernetes", "etcd")
SHOWN = 20


def failures(phases: Sequence[Phase]) -> list[str]:
    """Return all, in the order in which they came."""
    return [failure for phase in phases for failure in phase.failures]


def busiest(phase: Phase) -> Spent | None:
    """Return the program of the site's that used most of the processors: the simulated do not count."""
    return next((each for each in phase.spent if "(" not in each.program), None)


def wanted_processors(used: Spent, phase: Phase) -> float:
    """Return how many processors a program would have used if nothing else had: 1 is all that one thread can use."""
    return (used.seconds + used.waited) / phase.seconds


def as_json(wanted: Wanted, phases: Sequence[Phase], load: Sequence[float]) -> str:
    """Return everything as data."""
    found: dict[str, Any] = {
        "computer": computer(),
        "load_before": list(load),
        "load_after": list(os.getloadavg()),
        "versions": {name: SITE[name] for name in VERSIONS},
        "wanted": asdict(wanted),
        "phases": [asdict(phase) for phase in phases],
    }
    return json.dumps(found)


def show(to: Console, phases: Sequence[Phase], load: Sequence[float]) -> None:
    """Print tables."""
    to.print(computer())
    to.print(f"load of the computer: {load[0]:.1f} before the run, {os.getloadavg()[0]:.1f} at its end")
    to.print(", ".join(f"{name} {SITE[name]}" for name in VERSIONS))
    for phase in phases:
        to.print(f"\n{phase.name}: {phase.seconds:.0f} s, {len(phase.failures)} failures")
        if phase.counts:
            to.print(", ".join(f"{what}: {count}" for what, count in sorted(phase.counts.items())))
        rows = [
            (what, str(each.count), *(f"{value:.2f}" for value in (each.p50, each.p95, each.longest)))
            for what, each in sorted(phase.times.items())
        ]
        to.print(table(("seconds", "times", "p50", "p95", "longest"), rows))
        used = [
            (each.program, *(f"{value:.1f}" for value in (each.seconds, each.waited)), f"{each.memory / MIB:.0f}")
            for each in phase.spent
        ]
        to.print(table(("program", "seconds of a processor", "waited for one", "MiB at most"), used))
        if most := busiest(phase):
            to.print(
                f"busiest: {most.program}, {most.cores:.2f} processors; wanted {wanted_processors(most, phase):.2f}"
            )
    for failure in failures(phases)[:SHOWN]:
        to.print(failure, markup=False)
