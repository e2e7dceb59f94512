"""What the computer under the rack must have, and what keeps it from getting it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import host
from lab.processes import run_to_the_end
from lab.rack import RackError

HOLD = """
import fcntl, sys
with open(sys.argv[1], "w") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One lock file in the place of apt's."""
    monkeypatch.setattr(host, "_APT_LOCKS", (str(tmp_path / "lock"), str(tmp_path / "never-made")))
    return tmp_path / "lock"


@pytest.fixture
def holder(lock: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Another program that holds the lock as apt does, until its input ends."""
    command = [sys.executable, "-c", HOLD, str(lock)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.communicate()


@pytest.mark.usefixtures("lock")
def test_without_another_package_manager_nothing_is_waited_for() -> None:
    host._wait_for_apt()


def test_another_package_manager_is_waited_for(
    holder: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        holder.communicate()

    monkeypatch.setattr(time, "sleep", sleep)
    host._wait_for_apt()
    assert len(waits) == 1


@pytest.mark.usefixtures("holder")
def test_lock_that_is_never_given_back_is_named(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_APT_SECONDS", 0.0)
    with pytest.raises(RackError, match=f"another package manager has held {lock}"):
        host._wait_for_apt()


def test_what_must_not_be_cut_short_outlives_its_caller(tmp_path: Path) -> None:
    """Even a caller that is killed: half an installed package would have to be repaired by hand."""
    begun, done = tmp_path / "begun", tmp_path / "done"
    script = f"echo >{begun}; while kill -0 {{}} 2>/dev/null; do sleep 0.05; done; echo done >{done}"
    code = (
        "import os, pathlib; from lab.processes import run_to_the_end; "
        f"run_to_the_end(['sh', '-c', {script!r}.format(os.getpid())], pathlib.Path({str(tmp_path / 'log')!r}))"
    )
    caller = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    while not begun.exists():
        assert caller.poll() is None
    os.killpg(caller.pid, 9)
    caller.wait()
    deadline = time.monotonic() + 20
    while not done.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_failure_ends_with_the_programs_own_words(tmp_path: Path) -> None:
    with pytest.raises(RackError, match=r"exited 3.*log ends with: no space left"):
        run_to_the_end(["sh", "-c", "echo no space left; exit 3"], tmp_path / "log")
