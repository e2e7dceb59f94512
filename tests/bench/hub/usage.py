"""What processes use of the computer, from /proc (proc(5))."""

import asyncio
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
PROGRAMS: Final = {
    "hub": ("-m jupyterhub ",),
    "culler": ("culler.py",),
    "proxy": ("configurable-http-proxy",),
    "API server": ("kube-apiserver",),
    "etcd": ("/etcd",),
    "scheduler": ("kube-scheduler",),
    "controllers": ("kube-controller-manager",),
    "nodes (kwok)": ("/kwok",),
    "homes": ("-m programs.homes",),
    "servers (simulated)": ("-m tests.bench.hub.servers",),
    "people (simulated)": ("-m tests.bench.hub ",),
}
"""What a command line contains, by the program's name in reports. The first that fits counts."""


@dataclass(frozen=True)
class Usage:
    """Of one program's processes."""

    seconds: float
    """Of processors, since the processes began."""
    memory: int
    """Bytes that are resident now."""
    waited: float = 0
    """Seconds in which the first thread wanted a processor and had none, because others had them: on a computer that
    does other work as well, these are not the program's own. JupyterHub and its proxy work in that thread alone."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.seconds + other.seconds, self.memory + other.memory, self.waited + other.waited)


def program_of(command: str) -> str | None:
    """Return the name of the program that was started with these words, None for one that is not looked at."""
    # With an end, so that a word can be asked for whole.
    words = f"{command} "
    return next((name for name, parts in PROGRAMS.items() if any(part in words for part in parts)), None)


def parsed(stat: str, schedstat: str) -> Usage:
    """Return what a line of /proc/<pid>/stat and one of /proc/<pid>/schedstat say.

    The latter has nanoseconds on a processor and nanoseconds of waiting for one (sched-stats.rst in Linux' source).
    The second field of the former is the command in parentheses, which may itself contain spaces and parentheses: what
    counts begins behind the last one.
    """
    fields = stat.rpartition(")")[2].split()
    user, system, resident = (int(fields[index]) for index in (11, 12, 21))
    return Usage((user + system) / TICKS, resident * PAGE, int(schedstat.split()[1]) / 1e9)


def now(proc: Path = Path("/proc")) -> dict[str, Usage]:
    """Return what every program of `PROGRAMS` uses that runs."""
    found: dict[str, Usage] = {}
    for directory in proc.glob("[0-9]*"):
        try:
            command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            usage = parsed((directory / "stat").read_text(), (directory / "schedstat").read_text())
        except OSError:  # it has ended meanwhile
            continue
        if name := program_of(command):
            found[name] = found.get(name, Usage(0, 0)) + usage
    return found


@dataclass(frozen=True)
class Spent:
    """What one program used in a time."""

    program: str
    cores: float
    """Processors, on average."""
    seconds: float
    memory: int
    """Bytes at the most."""
    waited: float
    """Seconds; as in `Usage`."""


def spent(samples: Iterable[Mapping[str, Usage]], wall: float) -> tuple[Spent, ...]:
    """Return what programs used between the first and the last sample, which lie `wall` seconds apart; most first."""
    known = list(samples)
    result = []
    for name, last in known[-1].items():
        first = known[0].get(name, Usage(0, 0))
        seconds, waited = last.seconds - first.seconds, last.waited - first.waited
        memory = max(sample[name].memory for sample in known if name in sample)
        result.append(Spent(name, seconds / wall, seconds, memory, waited))
    return tuple(sorted(result, key=lambda each: -each.seconds))


class Watch:
    """Samples all the time; `lap` tells what was used since the last lap."""

    def __init__(self, every: float = 1.0) -> None:
        """Begin at `run`; `every` is in seconds."""
        self._every = every
        self._samples = [now()]
        self._since = time.monotonic()

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            self._samples.append(now())

    def lap(self) -> tuple[Spent, ...]:
        """Return what was used since the last lap, and begin another."""
        self._samples.append(now())
        found = spent(self._samples, time.monotonic() - self._since)
        self._samples, self._since = self._samples[-1:], time.monotonic()
        return found
