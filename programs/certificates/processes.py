"""Where kubeadm's static pods run: as processes of the kubelet's, found without a tool of the container runtime's.

crictl is not on every machine. The kubelet names a pod's log directory `<namespace>_<pod>_<uid>`, the control group of
the pod's processes has the uid in its name, and only the cluster's administrator makes a pod in kube-system.
"""

import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

POD_LOGS: Final = Path("/var/log/pods")
PROC: Final = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A running component."""

    pid: int
    ticks: int
    """From the machine's boot to its start: no other process has both numbers."""
    started: float = field(compare=False)
    """Seconds since 1970, by the clock as it goes now."""


@dataclass(frozen=True)
class Processes:
    """The machine's processes; tests give directories of their own."""

    proc: Path = PROC
    pod_logs: Path = POD_LOGS

    def of(self, component: str) -> Process | None:
        """Return the process of a static pod `<component>-<node>`, the youngest if there are two for a moment."""
        uids = [path.name.rpartition("_")[2] for path in self.pod_logs.glob(f"kube-system_{component}-*_*")]
        found = [each for each in self._running(component) if self._is_in_a_pod(each, uids)]
        return max(found, key=lambda process: process.started, default=None)

    def stop(self, process: Process) -> None:
        """Ask it to end; the kubelet starts it again."""
        os.kill(process.pid, signal.SIGTERM)

    def _running(self, program: str) -> Iterator[Process]:
        boot = self._boot()
        for directory in self.proc.glob("[0-9]*"):
            try:
                # The name is cut after 15 characters (proc_pid_comm(5)), the command line is not.
                word = (directory / "cmdline").read_bytes().split(b"\0", 1)[0].decode(errors="replace")
                if word.rpartition("/")[2] == program:
                    ticks = self._ticks(directory)
                    yield Process(int(directory.name), ticks, boot + ticks / os.sysconf("SC_CLK_TCK"))
            except (FileNotFoundError, ProcessLookupError):
                continue

    def _boot(self) -> float:
        """Return when the machine was booted; `btime` of proc_stat(5) has whole seconds alone."""
        uptime = float((self.proc / "uptime").read_text(encoding="ascii").split()[0])
        return time.time() - uptime

    @staticmethod
    def _ticks(directory: Path) -> int:
        # Field 22 of proc_pid_stat(5); the second is in parentheses and may hold blanks.
        return int((directory / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])

    def _is_in_a_pod(self, process: Process, uids: list[str]) -> bool:
        try:
            group = (self.proc / str(process.pid) / "cgroup").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return False
        # systemd's names of groups have underscores where the uid has hyphens.
        return any(re.search(rf"pod{re.escape(uid)}\b", group.replace("_", "-")) for uid in uids)
