"""The dev stack on the virtual rack, as its administrator handles it: make targets, the engine, shells on machines."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from stacks.passphrase import PUBLISHED
from tests.stacks.sites import ROOT, changed, tree

STACK: Final = "dev"
HOSTS: Final[Mapping[str, Any]] = tree(STACK)["hosts"]
_LAB: Final = (sys.executable, "-m", "lab")
_ENGINE: Final = (sys.executable, "-m", "engine", "--rack", "dev", "--inside", "exec", "--")
ENVIRONMENT: Final = {
    "PULUMI_CONFIG_PASSPHRASE": PUBLISHED[STACK],
}


@dataclass
class Clock:
    """How long things took, for the summary. Nothing is asserted of a time."""

    times: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        """Keep the seconds that the block took."""
        started = time.monotonic()
        yield
        self.times.append((what, time.monotonic() - started))


class CommandFailed(subprocess.CalledProcessError):
    """A command that did not end well; its text ends with the last lines that the command printed.

    A summary of failed tests, which may be all that is kept of a run, then says why, too.
    """

    LINES: Final = 50

    def __str__(self) -> str:
        """Return the command, its exit status and the last lines of each of its streams."""
        printed = [line for text in (self.stdout, self.stderr) for line in text.splitlines()[-self.LINES :]]
        return "\n".join([super().__str__(), *printed])


def run(
    command: Sequence[str], *, check: bool = True, environment: Mapping[str, str] | None = None, show: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's directory to its end; keep both of its streams, and show them if `show`."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if show or (check and done.returncode):
        print(f"$ {shlex.join(command)}\n{done.stdout}{done.stderr}", flush=True)
    if check and done.returncode:
        raise CommandFailed(done.returncode, done.args, done.stdout, done.stderr)
    return done


def make(target: str, *variables: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """`make TARGET`."""
    return run(["make", "--no-print-directory", target, *variables], check=check)


def make_cut_short(target: str, *, when: str, by: signal.Signals = signal.SIGINT) -> int:
    """Send a signal to `make TARGET` when it has printed `when`; return its exit status, or fail if it never prints it.

    The signal reaches all that a terminal's Ctrl-C would reach. What outlives it is the target's own affair.
    """
    command = ["make", "--no-print-directory", target]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdout is not None
    cut = False
    with process.stdout as lines:
        for line in lines:
            print(line, end="", flush=True)
            if when in line and not cut:
                cut = True
                print(f"-- {by.name}", flush=True)
                os.killpg(process.pid, by)
    assert cut, f"`{shlex.join(command)}` ended without {when!r}"
    return process.wait()


def in_the_rack(*command: str) -> list[str]:
    """Return the command line of an administrator's command: inside the rack's network, with the engine."""
    return [*_ENGINE, *command]


def pulumi(
    *arguments: str, check: bool = True, show: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the engine on the dev stack."""
    command = in_the_rack("pulumi", "--non-interactive", "--color", "never", *arguments, "--stack", STACK)
    return run(command, check=check, show=show, environment=environment)


def state() -> dict[str, Any]:
    """Return the stack's state, secrets shown."""
    found: dict[str, Any] = json.loads(pulumi("stack", "export", "--show-secrets", show=False).stdout)
    return found


def output(name: str) -> Any:
    """One output of the stack, secrets shown."""
    return json.loads(pulumi("stack", "output", "--json", "--show-secrets", name, show=False).stdout)


def password() -> str:
    """Return the password with which everybody logs in to the dev stack's hub."""
    return str(output("login")).rpartition(" ")[2]


def drift() -> dict[str, Any]:
    """Return what `ops drift` found."""
    done = run(in_the_rack(sys.executable, "-m", "ops", "drift", "--stack", STACK, "--json"), check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def inside(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command in the rack's network namespace, where a person on the campus would be."""
    return run([*_LAB, "exec", "--", *command], check=check, show=False)


def on(host: str, script: str, check: bool = True) -> str:
    """Return what a shell on a machine prints."""
    return run([*_LAB, "ssh", host, script], check=check, show=False).stdout


def lab(*arguments: str) -> None:
    """`python -m lab …`: the rack's own switches."""
    run([*_LAB, *arguments])


def lab_is_up() -> bool:
    """Whether there is anything of a rack on this computer."""
    return run([*_LAB, "leaks"], check=False, show=False).returncode != 0


def kubectl(*arguments: str, check: bool = True) -> str:
    """kubectl with the administrator's rights, on the control plane."""
    return on("chick0", f"kubectl --kubeconfig /etc/kubernetes/admin.conf {shlex.join(arguments)}", check=check)


@contextmanager
def drained(node: str) -> Iterator[str]:
    """Have nothing on a node but what is on every node; user servers have no controller, so it takes `--force`.

    Yield what kubectl says of each pod: `pod/NAME evicted`.
    """
    try:
        yield kubectl("drain", node, "--force", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=5m")
    finally:
        kubectl("uncordon", node)


def in_the_pod(user: str, script: str) -> str:
    """Return what a shell in a person's server prints."""
    return kubectl("--namespace", "users", "exec", f"jupyter-{user}", "--", "bash", "-c", script)


def accepts(address: object, port: int) -> bool:
    """Whether a program at an address accepts a connection from where a person on the campus would be."""
    connect = f"import socket; socket.create_connection(({str(address)!r}, {port}), timeout=3)"
    return inside("python3", "-c", connect, check=False).returncode == 0


def connects(shell: Callable[[str], str], place: str) -> bool:
    """Whether a shell reaches a place, `address:port`; where nothing answers, a refusal shows nothing."""
    host, port = place.split(":")
    connect = f"timeout 2 bash -c ': </dev/tcp/{host}/{port}' 2>/dev/null"
    return shell(f"{connect} && echo connects || true").strip() == "connects"


def _with_settings(others: Mapping[str, Any], text: str) -> str:
    """Return a stack's file with other settings."""
    document = yaml.safe_load(text)
    config = document["config"]
    ours = {key.removeprefix("henhouse:"): value for key, value in config.items()}
    merged = {f"henhouse:{key}": value for key, value in changed(ours, others).items()}
    return yaml.safe_dump({**document, "config": {**config, **merged}})


@contextmanager
def edited(others: Mapping[str, Any], *, leaving: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Have other settings in the stack's file while the block runs, and bring the site back to its own.

    `leaving` is called before the update that brings it back, also where the first update failed.
    """
    file = ROOT / f"Pulumi.{STACK}.yaml"
    kept = file.read_text()
    file.write_text(_with_settings(others, kept))
    try:
        make("up")
        yield
    finally:
        file.write_text(kept)
        try:
            leaving()
        finally:
            make("up")


def edit(others: Mapping[str, Any]) -> None:
    """Change the stack's file further while it is `edited`. The caller runs the update."""
    file = ROOT / f"Pulumi.{STACK}.yaml"
    file.write_text(_with_settings(others, file.read_text()))


def changes(text: str) -> dict[str, int]:
    """Return the engine's summary of an update or preview, keyed by what it did: {"create": 3, "unchanged": 120}."""
    summary = text[text.rindex("\nResources:") :]
    counts = re.findall(r"^\s+(?:(?:\+|-|~|\+-|-\+) )?(\d+) (?:to )?(\w+)", summary, flags=re.MULTILINE)
    return {verb: int(count) for count, verb in counts}
