"""The dev stack on the virtual rack, as its administrator handles it: make targets, the engine, shells on machines."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from tests.stacks.sites import ROOT, tree

STACK: Final = "dev"
HOSTS: Final[Mapping[str, Any]] = tree(STACK)["hosts"]
_LAB: Final = (sys.executable, "-m", "lab")
Answer = TypeVar("Answer")
_ENGINE: Final = (sys.executable, "-m", "lab.engine", "exec", "--stack", STACK, "--")


@dataclass
class Clock:
    """How long things took, for the summary. Nothing is asserted of a time."""

    times: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        """Keeps the seconds that the block took."""
        started = time.monotonic()
        yield
        self.times.append((what, time.monotonic() - started))


def make(target: str, *variables: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """`make TARGET`, its output shown as it comes and kept."""
    return _run(["make", "--no-print-directory", target, *variables], check=check)


def pulumi(*arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """The engine, inside the rack's network, on the dev stack."""
    command = [*_LAB, "exec", "--", *_ENGINE, "pulumi", "--non-interactive", "--color", "never", *arguments]
    return _run([*command, "--stack", STACK], check=check, environment=environment)


def exported() -> list[dict[str, Any]]:
    """The resources in the stack's state, secrets as they are."""
    state = json.loads(pulumi("stack", "export", "--show-secrets").stdout)
    resources: list[dict[str, Any]] = state["deployment"]["resources"]
    return resources


def output(name: str) -> Any:
    """One output of the stack, secrets shown."""
    return json.loads(pulumi("stack", "output", "--json", "--show-secrets", name).stdout)


def inside(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """A command in the rack's network namespace, where a person on the campus would be."""
    return _run([*_LAB, "exec", "--", *command], check=check)


def on(host: str, script: str, check: bool = True) -> str:
    """What a shell on a machine prints."""
    return _run([*_LAB, "ssh", host, script], check=check, quiet=True).stdout


def lab(*arguments: str) -> None:
    """`python -m lab …`: the rack's own switches."""
    _run([*_LAB, *arguments], check=True)


def kubectl(*arguments: str, check: bool = True) -> str:
    """kubectl with the administrator's rights, on the control plane."""
    quoted = " ".join(f"'{argument}'" for argument in arguments)
    return on("chick0", f"kubectl --kubeconfig /etc/kubernetes/admin.conf {quoted}", check=check)


def eventually(what: str, ask: Callable[[], Answer | None], *, seconds: float, every: float = 2) -> Answer:
    """The first answer that is not None or False; fails, naming what was awaited, when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = ask()
        except subprocess.CalledProcessError:
            answer = None
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)


def changes(text: str) -> dict[str, int]:
    """The engine's summary of an update or preview, by what it did: {"create": 3, "unchanged": 120}."""
    counts = re.findall(r"^\s+(?:[+~-]+ )?(\d+) (?:to )?(\w+)", text, flags=re.MULTILINE)
    return {verb: int(count) for count, verb in counts}


def _run(
    command: list[str], *, check: bool, quiet: bool = False, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    started = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else subprocess.STDOUT,
        text=True,
    )
    out, err = started.communicate()
    if not quiet or (check and started.returncode):
        print(out, err or "")
    if check and started.returncode:
        raise subprocess.CalledProcessError(started.returncode, command, out, err)
    return subprocess.CompletedProcess(command, started.returncode, out, err)
