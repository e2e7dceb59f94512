"""What every kind of machine can do, whatever it is made of, and what all kinds do alike."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal, Protocol

from lab import cgroups, processes, ssh
from lab.cache import Artifact
from lab.processes import run
from lab.rack import MachineSpec, Rack

State = Literal["absent", "off", "on"]
_POWEROFF_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Status:
    """What ``lab status`` shows of one machine."""

    state: State
    """``absent``: never made; ``off``: made, not running; ``on``: its processes run (SSH may not answer yet)."""
    memory: int
    """Bytes of this computer's memory that its processes hold now, caches of files not counted."""


class Machine(Protocol):
    """One machine of a rack. Every method may be called in any state and again: it does only what is missing."""

    @property
    def spec(self) -> MachineSpec:
        """Its description in the rack."""

    @property
    def console(self) -> Path:
        """The file that takes what it prints on its console."""

    @property
    def needs(self) -> tuple[Artifact, ...]:
        """What all machines of this kind share: images, kernels."""

    def create(self) -> None:
        """Make its disks or root file system: a bare Debian with its own identity and the administrator's key."""

    def reinstall(self) -> None:
        """Cut the power and reinstall it: another root with another machine-id(5), the same address and SSH key.

        Data disks keep what is on them.
        """

    def start(self) -> None:
        """Switch it on, and return without waiting for it to boot."""

    def wait(self) -> None:
        """Return when SSH answers with the machine's own host key.

        Raise `RackError` when the machine ends before that, or takes longer than its time limit.
        """

    def cut(self) -> None:
        """Take its power away at once. Its disks keep what it had written to them."""

    def poweroff(self) -> None:
        """Ask it to shut down, wait for that, and cut the power when it does not."""

    def destroy(self) -> None:
        """Cut the power and remove everything of it but the cache."""

    def status(self) -> Status:
        """Return its state now."""


@dataclass(frozen=True)
class RackMachine(ABC):
    """The part of `Machine` that does not depend on the kind: a state directory, control groups, SSH."""

    rack: Rack
    spec: MachineSpec
    keyring: Path | None = None
    """Public key of the site's package mirror, installed with the system; None for a rack without a mirror."""

    boot_seconds: ClassVar[float]
    """How long `wait` waits, from when it is called."""

    @property
    def directory(self) -> Path:
        """Everything of the machine that is a file. It exists from the moment that `create` is complete."""
        return self.rack.machine_state(self.spec)

    @property
    def console(self) -> Path:
        return self.directory / "console"

    @property
    @abstractmethod
    def needs(self) -> tuple[Artifact, ...]: ...

    @abstractmethod
    def boot(self) -> None:
        """Start the machine's process, which must not be running."""

    @abstractmethod
    def fill(self, directory: Path) -> None:
        """Write the machine's disks or root file system into a new directory, which then becomes `directory`."""

    @property
    def data(self) -> frozenset[str]:
        """Names of the files in `directory` that are its data disks."""
        return frozenset(f"{serial}.disk" for serial in (self.spec.disks.serials if self.spec.disks else ()))

    def create(self) -> None:
        if not self.directory.is_dir():
            self._filled().rename(self.directory)

    def reinstall(self) -> None:
        self.cut()
        if not self.directory.is_dir():
            self.create()
            return
        # Data disks never move: an interruption leaves a machine that lacks its root, and is reinstalled again.
        filled = self._filled()
        for file in filled.iterdir():
            if file.name not in self.data:
                remove_tree(self.directory / file.name)
                file.rename(self.directory / file.name)
        remove_tree(filled)

    def _filled(self) -> Path:
        unfinished = self.directory.with_name(f"{self.spec.name}.unfinished")
        remove_tree(unfinished)
        unfinished.mkdir(parents=True)
        self.fill(unfinished)
        return unfinished

    def start(self) -> None:
        if not self.running():
            self.boot()

    def running(self) -> bool:
        """Whether any of its processes lives."""
        return processes.running(self.rack, self.spec.name)

    def wait(self) -> None:
        ssh.wait(self.rack, self.spec, self.boot_seconds, self.running, self.console)

    def cut(self) -> None:
        processes.stop(self.rack, self.spec.name)

    def poweroff(self) -> None:
        if self.running():
            ssh.on(self.rack, self.spec.name, "systemctl --no-block poweroff", check=False)
            deadline = time.monotonic() + _POWEROFF_SECONDS
            while self.running() and time.monotonic() < deadline:
                time.sleep(0.1)
        self.cut()

    def destroy(self) -> None:
        self.cut()
        remove_tree(self.directory)
        remove_tree(self.directory.with_name(f"{self.spec.name}.unfinished"))

    def status(self) -> Status:
        if self.running():
            return Status("on", cgroups.memory_used(self.rack.namespace, self.spec.name))
        return Status("off" if self.directory.is_dir() else "absent", 0)


def remove_tree(path: Path) -> None:
    """Remove a directory with all that it holds, but nothing that is mounted in it."""
    run(["rm", "-rf", "--one-file-system", str(path)])
