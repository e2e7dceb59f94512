"""The peer of `drift`: the same check scripts, sent by ssh(1) to all machines at once, and nothing more."""

import shlex
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Final

from converge.state import AppliedRole, applied_roles
from lab import ssh
from lab.rack import load_rack
from tests.acceptance.site import state

_RACK: Final = load_rack("dev")


def scripts() -> dict[str, str]:
    """For every machine one script that runs the check of each of its roles."""
    roles = sorted(applied_roles(state()), key=lambda role: role.machine)
    machines = groupby(roles, key=lambda role: role.machine)
    return {machine: "".join(_check(role) for role in group) for machine, group in machines}


def _check(role: AppliedRole) -> str:
    run = f"bash -c {shlex.quote(role.script)} {shlex.quote(role.role)} check"
    return f"printf %s {shlex.quote(role.stdin)} | {run}\n"


def run(texts: dict[str, str], directory: Path) -> None:
    """All machines at once; what a check prints is dropped, its failure is not."""
    sessions = []
    for machine, text in texts.items():
        script = directory / machine
        script.write_text(f"set -e\n{text}")
        with script.open("rb") as given:
            command = ssh.ssh_command(_RACK, machine, ["bash", "-s"], "-o", "BatchMode=yes")
            sessions.append(subprocess.Popen(command, stdin=given, stdout=subprocess.DEVNULL, stderr=sys.stderr))
    for machine, session in zip(texts, sessions, strict=True):
        if session.wait():
            raise RuntimeError(f"the checks of {machine} ended with {session.returncode}")
