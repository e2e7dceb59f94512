"""The engine's locks: which are stale, who may remove them."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import locks
from tests.stacks.sites import ROOT


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    monkeypatch.chdir(ROOT)
    return tmp_path


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[int]:
    """Provide a process that has the engine's name."""
    program = tmp_path / "pulumi"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen(["bash", "-c", f"exec -a pulumi {program} 600"])
    while Path(f"/proc/{process.pid}/comm").read_text().strip() != "pulumi":
        assert process.poll() is None
    yield process.pid
    process.kill()
    process.wait()


def locked(backend: Path, stack: str, pid: int, host: str | None = None) -> Path:
    directory = backend / ".pulumi/locks/organization/henhouse" / stack
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{pid}.json"
    content = {
        "pid": pid,
        "username": "root",
        "hostname": host or socket.gethostname(),
        "timestamp": "2026-11-25T10:00:00Z",
    }
    file.write_text(json.dumps(content))
    return file


def gone() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_lock_of_an_engine_that_runs_is_kept(backend: Path, engine: int) -> None:
    file = locked(backend, "dev", engine)
    assert locks.unlock("dev") == 1
    assert file.exists()


def test_lock_of_an_engine_that_is_gone_is_removed_from_the_racks_stack(
    backend: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = locked(backend, "dev", gone())
    assert locks.unlock("dev") == 0
    assert not file.exists()
    assert "removed the lock of an update that was killed" in capsys.readouterr().err


def test_reused_process_id_is_not_an_engine(backend: Path) -> None:
    locked(backend, "dev", os.getpid())
    assert [lock.stale for lock in locks.held(backend, "dev")] == [True]


def test_rack_whose_computer_was_renamed_is_free(backend: Path) -> None:
    """Its state is this computer's alone; a container or a DHCP client has another name tomorrow."""
    locked(backend, "dev", gone(), host="yesterdays-name")
    assert locks.unlock("dev") == 0


def test_lock_from_another_computer_is_not_called_stale(backend: Path) -> None:
    locked(backend, "prod", gone(), host="elsewhere")
    assert [lock.stale for lock in locks.held(backend, "prod")] == [False]


@pytest.mark.parametrize("text", ["config: 5\n", "[1]\n", "a: [\n", ""])
def test_stack_with_broken_settings_is_not_a_rack(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.x.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert not locks.of_a_rack("x")


def test_lock_on_a_real_stack_is_kept_and_the_command_is_named(
    backend: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = locked(backend, "prod", gone())
    assert locks.unlock("prod") == 1
    assert file.exists()
    assert "`pulumi cancel --stack prod`" in capsys.readouterr().err


def test_lock_cut_short_is_removed(backend: Path) -> None:
    locked(backend, "dev", gone()).write_text("")
    assert locks.unlock("dev") == 0


def test_backend_elsewhere_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    assert locks.of_backend("prod") == []


def test_running_update_is_named_to_who_looks_for_drift(backend: Path, engine: int) -> None:
    locked(backend, "dev", engine)
    (lock,) = locks.of_backend("dev")
    assert f"process {engine}" in locks.meaning(lock, "dev")
    assert "is running" in locks.meaning(lock, "dev")
