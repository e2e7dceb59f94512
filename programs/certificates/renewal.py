"""kubeadm's certificates, renewed in time, and the static pods restarted with them one after the other.

A certificate is renewed when less than a third of its life is left: of a year, four months remain in which the machine
may be off, or an administrator has to repair what prevents it. It is more than a quarter because a stack reads the
administrator's kubeconfig again in each quarter of that life (components/cluster/calico/certificates.py): what it has
read then lasts until it reads again.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .dates import Unreadable, Validity, validity
from .health import complaint, peer_complaint
from .processes import Process, Processes
from .spec import Component, Renewal, Spec

SHARE: Final = 3
"""A certificate is due when less than this part of its life is left."""
SLACK_SECONDS: Final = 120
"""Two clocks may differ by this much."""
RESTART_SECONDS: Final = 420
"""How long a component may take until it is well again. The kubelet waits 5 minutes with one that failed often."""
POLL_SECONDS: Final = 0.5
RENEWER: Final = "henhouse-renewal.timer"
"""The renewer, in an alert, of the certificates that are kubeadm's."""


class Failed(Exception):
    """The renewal cannot continue; the message says what to look at."""


def due(name: str, seen: Validity, renewal: Renewal, now: float, grace: float = 0) -> str | None:
    """Return why a certificate has to be renewed, None when it has time. `grace` is how late its renewal may be.

    After an edit of the lifetime nothing waits for the old one: a certificate that lasts longer than a new one would is
    renewed, and so is one that would end before the next check.
    """
    left = seen.ends - now
    if left > renewal.lifetime_seconds + SLACK_SECONDS:
        return f"{name} ends later than the settings say"
    if left < max(seen.lifetime / SHARE - grace, 2 * renewal.interval_seconds):
        return f"{name} ends in {max(0, round(left))} s"
    return None


@dataclass
class Renewer:
    """Sees to the certificates of one control plane."""

    spec: Spec
    renewal: Renewal
    kubeadm: str = "kubeadm"
    processes: Processes = field(default_factory=Processes)
    say: Callable[[str], None] = print

    def complaints(self) -> Iterator[str]:
        """Yield what the timer should have done by now. It changes nothing."""
        yield from self._due(grace=2 * self.renewal.interval_seconds)
        yield from (
            f"{each} runs with an older certificate" for each in self.renewal.components if self._is_older(each)
        )

    def renew(self) -> None:
        """Renew what is due, and restart what runs with an older certificate. Without either it does nothing."""
        self._restore()
        reasons = list(self._due())
        if reasons:
            self.say("; ".join(reasons))
            self._renew_all()
        self._end_the_future()
        for name, component in self.renewal.components.items():
            running = self.processes.of(name)
            if running is not None and running.started < self._newest(component):
                self._restart(name, component, running)
            elif running is None and reasons:
                # It ended because its certificates had. The kubelet starts it again, in a while.
                self._wait(name, component, None)

    def _due(self, grace: float = 0) -> Iterator[str]:
        now = time.time()
        for name, certificate in self.spec.certificates.items():
            if certificate.path not in self._files():
                continue
            try:
                seen = validity(Path(certificate.path))
            except Unreadable as error:
                yield str(error)
                continue
            if seen is not None and (reason := due(name, seen, self.renewal, now, grace)):
                yield reason

    def _files(self) -> list[str]:
        """Paths of the certificates that kubeadm renews."""
        return [each.path for each in self.spec.certificates.values() if each.renewer == RENEWER]

    def _renew_all(self) -> None:
        with self._backup():
            done = subprocess.run(
                [self.kubeadm, "certs", "renew", "all", f"--config={self.renewal.config}"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise Failed(f"kubeadm certs renew all ended with {done.returncode}: {done.stdout.strip()}")
        if still := list(self._due()):
            raise Failed(f"kubeadm has renewed, and still: {'; '.join(still)}\n{done.stdout.strip()}")

    @contextmanager
    def _backup(self) -> Iterator[None]:
        """Keep the files that kubeadm writes over, until all are written: it does not replace them at once."""
        kept = Path(self.renewal.backup)
        new = kept.with_name(f"{kept.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700, parents=True)
        for path in self._with_keys():
            there = new / path.relative_to("/")
            there.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy2(path, there)
        os.sync()
        new.rename(kept)
        try:
            yield
        except BaseException:
            self._restore()
            raise
        os.sync()
        self._forget()

    def _with_keys(self) -> Iterator[Path]:
        for path in map(Path, self._files()):
            yield from (each for each in (path, path.with_suffix(".key")) if each.exists())

    def _restore(self) -> None:
        """Put back what a renewal that was cut short may have written half of."""
        kept = Path(self.renewal.backup)
        if not kept.exists():
            return
        self.say("an earlier renewal was cut short; its files are put back")
        for path in sorted(kept.rglob("*")):
            if path.is_file():
                _replace(path, Path("/") / path.relative_to(kept))
        os.sync()
        self._forget()

    def _forget(self) -> None:
        """Remove the copies; what is left of them after a power cut is not taken for a whole one."""
        kept = Path(self.renewal.backup)
        old = kept.with_name(f"{kept.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        kept.rename(old)
        shutil.rmtree(old)

    def _end_the_future(self) -> None:
        """Let no file be from later than now, as after a clock that was ahead: no process could be younger than it."""
        now = time.time()
        for path in map(Path, self._files()):
            if path.exists() and path.stat().st_mtime > now:
                os.utime(path)

    def _is_older(self, name: str) -> bool:
        process = self.processes.of(name)
        return process is not None and process.started < self._newest(self.renewal.components[name])

    def _newest(self, component: Component) -> float:
        paths = [Path(self.spec.certificates[name].path) for name in component.certificates]
        return max((path.stat().st_mtime for path in paths if path.exists()), default=0.0)

    def _restart(self, name: str, component: Component, running: Process) -> None:
        for peer in self.renewal.peers if self._is_well() else ():
            if said := peer_complaint(peer):
                raise Failed(f"{name} is not restarted while another control plane is not well: {said}")
        self.say(f"restarting {name}")
        self.processes.stop(running)
        self._wait(name, component, running)

    def _is_well(self) -> bool:
        """Whether there is something to lose here. Control planes that all have ended must not wait for each other."""
        return all(complaint(component, shown=False) is None for component in self.renewal.components.values())

    def _wait(self, name: str, component: Component, before: Process | None) -> None:
        deadline = time.monotonic() + RESTART_SECONDS
        while said := self._not_yet(name, component, before):
            if time.monotonic() > deadline:
                raise Failed(
                    f"{name} is not well after {RESTART_SECONDS} s: {said}. Look at: journalctl --unit=kubelet"
                )
            time.sleep(POLL_SECONDS)
        self.say(f"{name} runs with its new certificate")

    def _not_yet(self, name: str, component: Component, before: Process | None) -> str | None:
        now = self.processes.of(name)
        if now is None or now == before:
            return "the kubelet has not started it again"
        return complaint(component)


def _replace(source: Path, target: Path) -> None:
    beside = target.with_name(f".{target.name}.restored")
    shutil.copy2(source, beside)
    stat = source.stat()
    os.chown(beside, stat.st_uid, stat.st_gid)
    beside.rename(target)
