"""The stack of the rack: `pulumi`, run inside the rack's network with the engine that was made ready outside it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from converge import findings
from converge.state import HOST_STATE
from engine.install import state_directory
from lab import network, progress, ssh
from lab.rack import Rack, RackError
from ops import locks

_POLL_SECONDS: Final = 0.5
_DONE: Final = re.compile(r"^ *[-+~@ ]+ +\S+ (?P<name>\S+) (?:created|updated|deleted|replaced|refreshed)")
_LAST_LINES: Final = 60


def complete(rack: Rack) -> bool:
    """Whether a `pulumi up` has ended well at any time since the rack was made: whether the state has outputs."""
    return any('"hub_url"' in state.read_text() for state in _states(rack))


def _states(rack: Rack) -> Iterator[Path]:
    return state_directory(rack.name).glob(f".pulumi/stacks/*/{rack.name}.json")


def bring_up(rack: Rack, environment: Mapping[str, str], stage: str) -> int:
    """Run `pulumi up` on the stack, and return its exit status. What it prints is also in ``up.log`` beside the state.

    On a terminal only the number of resources done is shown, and the end of the log when it fails. The locks of engines
    that were killed are removed first, and an engine that is still about to end is waited for.
    """
    _wait_for_lock(rack)
    _pulumi(rack, environment, "stack", "select", "--create", rack.name)
    # The outputs hold the address inside the rack's network; the one that opens on this computer comes at the end.
    quiet = ("--yes", "--skip-preview", "--suppress-outputs")
    command = ["up", "--stack", rack.name, *quiet, "--continue-on-error"]
    log = rack.state / "up.log"
    environment = {**environment, **probing(rack)}
    with progress.step(f"bringing the stack {rack.name!r} up", stage) as detail, open(log, "w", buffering=1) as copy:
        process = _start(rack, environment, *command)
        assert process.stdout is not None
        done, last = 0, deque[str](maxlen=_LAST_LINES)
        try:
            for line in process.stdout:
                copy.write(line)
                last.append(line)
                if not sys.stderr.isatty():
                    print(line, end="", flush=True)
                if match := _DONE.match(line):
                    done += 1
                    detail(f"{done} resources done, now {match['name']}")
        except KeyboardInterrupt:
            _cancel(process)
            raise
        status = process.wait()
    if status != 0:
        progress.say(("".join(last) if sys.stderr.isatty() else "") + _failed(log))
    return status


def probing(rack: Rack) -> dict[str, str]:
    """Return what makes the program look at the machines first: whenever the state knows of roles.

    A machine may have been reinstalled or changed by hand since, or have taken back what the last update did, as new
    rules of the packet filter are. Without a look, `make up` would find nothing to do.
    """
    known = any(f'"{HOST_STATE}"' in state.read_text() for state in _states(rack))
    return {findings.VARIABLE: "1"} if known else {}


def _failed(log: Path) -> str:
    return (
        f"`pulumi up` failed; all it said is in {log}, and docs/failed-up.md says what the last lines mean.\n"
        "Once that is mended, run `make up` again: it resumes where this one stopped."
    )


def _cancel(process: "subprocess.Popen[str]") -> None:
    """Let the engine finish what it is doing on the machines and give its lock back, as after its own Ctrl-C."""
    progress.say("interrupted; waiting for what is being changed on machines right now (once more: do not wait)")
    process.send_signal(signal.SIGINT)
    try:
        process.communicate()
    except KeyboardInterrupt:
        process.kill()
        process.wait()
        raise


def outputs(rack: Rack, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the stack's outputs, with secrets in plain text."""
    text = _pulumi(rack, environment, "stack", "output", "--json", "--show-secrets", "--stack", rack.name)
    found: dict[str, Any] = json.loads(text)
    return found


def _wait_for_lock(rack: Rack) -> None:
    backend = state_directory(rack.name)
    for lock in locks.remove_stale(backend, rack.name):
        progress.say(f"removed the lock of an update that was killed ({lock})")
    if held := locks.held(backend, rack.name):
        with progress.step(f"waiting for another update of the stack to end ({held[0]})"):
            while locks.held(backend, rack.name):
                locks.remove_stale(backend, rack.name)
                time.sleep(_POLL_SECONDS)


def _start(rack: Rack, environment: Mapping[str, str], *arguments: str) -> "subprocess.Popen[str]":
    """Start an engine in a session of its own, so that a Ctrl-C reaches it only through this process, and once.

    When this process is killed, the engine is interrupted: it ends what it is doing and gives its lock back.
    """
    command = network.inside(rack, ["pulumi", "--non-interactive", *arguments])
    return subprocess.Popen(
        ["setpriv", "--pdeathsig=INT", "--", *command],
        env={**os.environ, **environment, **ssh.environment(rack)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def _pulumi(rack: Rack, environment: Mapping[str, str], *arguments: str) -> str:
    process = _start(rack, environment, *arguments)
    text, _ = process.communicate()
    if process.returncode != 0:
        raise RackError(f"`pulumi {' '.join(arguments)}` failed: {text.strip()}")
    return text
