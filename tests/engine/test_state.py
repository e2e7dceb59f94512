"""What docs/state.md says about a state, done with the real engine."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.project import STACK, Project
from tests.stacks.sites import ROOT

pytestmark = pytest.mark.engine

Make = Callable[..., Project]


@pytest.fixture
def stack(project: Make) -> Project:
    """Return a stack that is up, with secrets in its settings and in its state."""
    made = project("values")
    made.configure_secret("kept", "s3cret-of-the-settings")
    made.up()
    return made


def test_passphrase_is_rotated_and_nothing_else_changes(stack: Project) -> None:
    before = stack.state(decrypted=True)
    done = subprocess.run(
        ["pulumi", "--stack", STACK, "stack", "change-secrets-provider", "passphrase"],
        cwd=stack.directory,
        env=stack.environment,
        input="another one\nanother one\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "incorrect passphrase" in stack.pulumi("stack", "export", "--show-secrets", fails=True)
    stack.environment["PULUMI_CONFIG_PASSPHRASE"] = "another one"
    assert stack.state(decrypted=True)["resources"] == before["resources"]
    assert stack.pulumi("config", "get", "kept").strip() == "s3cret-of-the-settings"
    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_state_moves_to_another_backend(stack: Project, tmp_path: Path) -> None:
    copy = tmp_path / "state.json"
    stack.pulumi("stack", "export", "--file", str(copy))
    assert "s3cret" not in copy.read_text()
    before = stack.state(decrypted=True)
    (tmp_path / "elsewhere").mkdir()
    stack.environment["PULUMI_BACKEND_URL"] = f"file://{tmp_path / 'elsewhere'}"
    stack.pulumi("stack", "init", STACK)
    stack.pulumi("stack", "import", "--file", str(copy))
    assert stack.state(decrypted=True)["resources"] == before["resources"]
    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_second_administrator_is_told_who_holds_the_lock(stack: Project) -> None:
    backend = Path(stack.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    lock = backend / f".pulumi/locks/organization/values/{STACK}/lock.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = {"pid": 1, "username": "grace", "hostname": "office", "timestamp": "2026-01-01T00:00:00Z"}
    lock.write_text(json.dumps(held))
    said = stack.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert "currently locked" in said
    assert "grace@office" in said
    stack.pulumi("cancel", "--yes")
    assert not lock.exists()


def test_records_are_read_without_the_passphrase(stack: Project) -> None:
    """The DNS job has none; the stack has secrets among its outputs."""
    without = {name: value for name, value in stack.environment.items() if "PASSPHRASE" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "ops", "dns", "--stack", STACK, "--zone-file"],
        cwd=stack.directory,
        env={**without, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "hub.example.test. 300 IN A 198.18.0.2\n", done.stderr
