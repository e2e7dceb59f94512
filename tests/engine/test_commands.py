"""Commands: what runs when, what is kept when one fails, and how an interrupted update ends."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.project import Project, running, until

pytestmark = pytest.mark.engine

Make = Callable[..., Project]

TOKEN = "correct-horse-battery"


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    found = tmp_path / "traces"
    found.mkdir()
    return found


@pytest.fixture
def stack(project: Make, traces: Path) -> Project:
    made = project("commands", traces=traces)
    made.configure_secret("token", TOKEN)
    return made


def _log(traces: Path) -> list[str]:
    return (traces / "log").read_text().split()


def test_life(stack: Project, traces: Path) -> None:
    _, steps = stack.up()
    assert {operation for operation, _ in steps} == {"create"}
    assert stack.outputs() == {"first": f"one\n{TOKEN}", "second": "second saw one"}
    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert sorted(_log(traces)) == ["create-first", "create-kept"]

    stack.configure(text="two")
    assert stack.plan() == {"first": "update", "second": "update"}  # and not "settled", which ignores the change
    _, steps = stack.up()
    assert steps == [("update", "first"), ("update", "second")]
    assert stack.outputs()["first"] == f"two after one {TOKEN}"
    assert _log(traces)[-1] == "update-first"

    assert {operation for operation, _ in stack.destroy()} == {"delete"}
    assert _log(traces)[-1] == "delete-first"
    assert "delete-kept" not in _log(traces)


@pytest.mark.parametrize(
    ("delete_first", "order"),
    [
        (False, ["create-first", "delete-first"]),
        (True, ["delete-first", "create-first"]),
    ],
)
def test_replacement_order(stack: Project, traces: Path, delete_first: bool, order: list[str]) -> None:
    stack.configure(delete_first=delete_first)
    stack.up()
    stack.configure(trigger="b")
    assert stack.plan()["first"] == "replace"
    stack.up()
    assert _log(traces)[-2:] == order


def test_protect_and_aliases(stack: Project) -> None:
    stack.configure(protect=True)
    stack.up()
    program = stack.directory / "__main__.py"
    program.write_text(program.read_text().replace('"settled"', '"renamed"').replace("formerly", "settled"))
    assert stack.plan() == {}
    stack.up()
    assert "protected" in stack.pulumi("destroy", "--yes", "--skip-preview", fails=True)
    assert stack.resource("renamed")["protect"]
    stack.configure(protect=False)
    stack.up()
    stack.destroy()


def test_unknown_outputs_in_a_preview(stack: Project) -> None:
    shown = stack.pulumi("preview")
    assert "first : [unknown]" in shown
    assert "second: [unknown]" in shown


def test_secrets_are_encrypted_and_masked(stack: Project) -> None:
    printed, _ = stack.up()
    stdin = stack.resource("first")["inputs"]["stdin"]
    assert "ciphertext" in stdin
    shown = printed + stack.pulumi("preview", "--diff")
    assert TOKEN not in shown.replace(
        json.dumps(f"one\n{TOKEN}"), ""
    )  # stdout is not a secret, unless the program says so


def test_failure_keeps_what_was_made_and_is_retried(stack: Project, traces: Path) -> None:
    stack.configure(broken=True)
    printed, _ = stack.up(fails=True)
    assert f"cat: {traces}/repaired: No such file or directory" in printed
    assert "exit status 1" in printed
    deployment = stack.state()
    assert "pending_operations" not in deployment
    names = {resource["urn"].split("::")[-1] for resource in deployment["resources"]}
    assert "first" in names
    assert "broken" not in names

    (traces / "repaired").write_text("ok\n")
    _, steps = stack.up()
    assert ("create", "broken") in steps
    assert not any(name == "first" for _, name in steps)


def test_interrupt_leaves_a_usable_state(stack: Project, traces: Path) -> None:
    stack.configure(slow=True)
    process = stack.begin_up()
    until("its command began", (traces / "started").exists, process)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=30)
    assert process.returncode != 0, printed
    until("the end of the interrupted command", lambda: not running("sleep", "600"))

    deployment = stack.state()
    assert "pending_operations" not in deployment
    names = {resource["urn"].split("::")[-1] for resource in deployment["resources"]}
    assert "first" in names
    assert "slow" not in names
    stack.configure(slow=None)
    _, steps = stack.up()
    assert not any(name == "first" for _, name in steps)
    stack.destroy()
