"""Running other programs: in passing, or for as long as the rack is up."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from lab import cgroups
from lab.rack import Rack, RackError, size_in_bytes

_POLL_SECONDS: Final = 0.01
_LOG_TAIL: Final = 2000

Done = subprocess.CompletedProcess[bytes]


def dying_with_us(command: Sequence[str]) -> list[str]:
    """Return `command`, ended by the kernel with this program: a second start must not meet the first one's process."""
    return ["setpriv", "--pdeathsig=KILL", "--", *command]


ALONE: Final = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Before a command: when it is killed, everything ends that it started, and nothing stays mounted that it mounted."""


def run(command: Sequence[str], *, stdin: bytes = b"", check: bool = True) -> Done:
    """Run a command to its end; raise `RackError` with what it printed when it fails and `check` is set."""
    if shutil.which(command[0]) is None:
        raise RackError(f"{command[0]} is not installed here; `python -m lab packages` installs what a rack needs")
    done = subprocess.run(dying_with_us(command), input=stdin, capture_output=True, check=False)
    if check and done.returncode != 0:
        words = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise RackError(f"`{' '.join(command)}` exited {done.returncode}: {words or 'it printed nothing'}")
    return done


def run_to_the_end(command: Sequence[str], log: Path) -> None:
    """Run a command that must not be cut short, whatever happens to this program; `RackError` with the end of `log`.

    An interruption ends the waiting and not the command. Its output goes to a file, so it can do without a reader.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        status = process.wait()
    if status != 0:
        words = log.read_text(errors="replace").strip()[-_LOG_TAIL:]
        raise RackError(f"`{' '.join(command)}` exited {status}; {log} ends with: {words or 'nothing'}")


def start(
    rack: Rack,
    unit: str,
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    memory: str | None = None,
) -> None:
    """Start a command that outlives this program, as `unit` of the rack: alone in control groups of that name.

    A unit that already runs is left alone. Output goes to `log`, replacing what an earlier run left there;
    `environment` is added to ours; `memory` (such as ``2G``) is a limit.
    """
    if running(rack, unit):
        return
    entrances = cgroups.create(rack.namespace, unit, size_in_bytes(memory) if memory else None)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            cgroups.joining(entrances, command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    # It moves itself into its groups; until then, or until it has failed to, it does not count as running.
    while process.poll() is None and not running(rack, unit):
        time.sleep(_POLL_SECONDS)


def running(rack: Rack, unit: str) -> bool:
    """Whether any process of the unit lives."""
    return bool(cgroups.members(rack.namespace, unit))


def stop(rack: Rack, unit: str) -> None:
    """Kill every process of the unit and remove its control groups. Do nothing when there are none."""
    cgroups.kill(rack.namespace, unit)
    cgroups.remove(rack.namespace, unit)
