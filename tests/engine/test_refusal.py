"""The stand-ins leave every stack alone that is not marked as a lab's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.install import Engine
from engine.standins import mark
from tests.engine.project import STACK, Project

Make = Callable[..., Project]


@pytest.fixture
def stack(project: Make, engine: Engine, tmp_path: Path) -> Project:
    if engine.official:
        pytest.skip("the official plugins are installed, and those refuse nothing")
    made = project("commands", marked=False, traces=tmp_path)
    made.configure_secret("token", "word")
    return made


@pytest.mark.engine
def test_preview_of_any_stack_works(stack: Project) -> None:
    assert stack.plan()["first"] == "create"


@pytest.mark.engine
def test_up_refuses(stack: Project, tmp_path: Path) -> None:
    printed, steps = stack.up(fails=True)
    assert "[lab stand-in: python] refusing to change stack 'lab'" in printed
    assert "pulumi plugin install resource" in printed
    assert not any(name == "first" for _, name in steps)
    assert not (tmp_path / "log").exists()


@pytest.mark.engine
@pytest.mark.parametrize("verb", ["refresh", "destroy"])
def test_what_does_not_run_the_program_refuses_too(stack: Project, tmp_path: Path, verb: str) -> None:
    stack.mark()
    stack.up()
    stack.mark("false")
    before = _recorded(stack)
    printed = stack.pulumi(verb, "--yes", "--skip-preview", fails=True)
    assert "[lab stand-in: command] refusing to change stack 'lab'" in printed
    assert "delete-first" not in (tmp_path / "log").read_text()
    assert _recorded(stack) == before
    stack.mark()
    stack.destroy()


def _recorded(stack: Project) -> dict[str, tuple[object, ...]]:
    """Return what the state says of each resource; the engine rewrites ciphertexts and bookkeeping each time."""
    resources = stack.state(decrypted=True)["resources"]
    return {each["urn"]: (each.get("id"), each.get("inputs"), each.get("outputs")) for each in resources}


@pytest.mark.engine
def test_mark_in_another_file_does_not_count(stack: Project) -> None:
    """`--config-file` of a stack without the mark, for a stack whose own file has it."""
    own = stack.directory / f"Pulumi.{STACK}.yaml"
    other = stack.directory / "other.yaml"
    other.write_text(own.read_text())
    stack.mark()
    printed = stack.pulumi("up", "--yes", "--skip-preview", "--config-file", str(other), fails=True)
    assert "refusing to change stack 'lab'" in printed


@pytest.mark.parametrize(
    ("files", "marked"),
    [
        ({"Pulumi.yaml": "name: x", "Pulumi.lab.yaml": 'config: {"henhouse:lab": true}'}, True),
        ({"Pulumi.yaml": "name: x", "Pulumi.lab.yaml": 'config: {"henhouse:lab": "true"}'}, True),
        ({"Pulumi.yml": "name: x", "Pulumi.lab.yml": 'config: {"henhouse:lab": true}'}, True),
        ({"Pulumi.yaml": "stackConfigDir: s", "s/Pulumi.lab.yaml": 'config: {"henhouse:lab": true}'}, True),
        ({"Pulumi.yaml": "name: x", "Pulumi.lab.yaml": 'config: {"henhouse:lab": "no"}'}, False),
        ({"Pulumi.yaml": "name: x", "Pulumi.lab.yaml": 'config: {"x:lab": true}'}, False),
        ({"Pulumi.yaml": "name: x", "Pulumi.lab.yaml": "config: ["}, False),
        ({"Pulumi.yaml": "name: x", "Pulumi.other.yaml": 'config: {"henhouse:lab": true}'}, False),
        ({"Pulumi.yaml": 'config: {"henhouse:lab": true}'}, False),
        ({"Pulumi.lab.yaml": 'config: {"henhouse:lab": true}'}, False),
    ],
)
def test_mark(tmp_path: Path, files: dict[str, str], marked: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    program = tmp_path / "program"
    program.mkdir()
    assert (mark.refusal("lab", program) is None) == marked


def test_stack_of_a_urn() -> None:
    assert mark.stack_of("urn:pulumi:prod::henhouse::command:remote:Command::chick0") == "prod"
