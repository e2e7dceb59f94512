"""A stack as the Automation API shows it, with a command line that answers what the test wants."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from converge.engine import EngineError
from converge.stack import PARTIAL, StackClient, StateError

Pulumi = Callable[[str], Path]


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pulumi:
    """Provide a function that puts a `pulumi` on PATH; what it was asked is in the file that the function returns."""
    (tmp_path / "Pulumi.yaml").write_text("name: henhouse\nruntime: python\n")
    monkeypatch.chdir(tmp_path)

    def answers(script: str) -> Path:
        asked = tmp_path / "asked"
        (tmp_path / "pulumi").write_text(f'#!/bin/sh\necho "$*" >>{asked}\n{script}\n')
        (tmp_path / "pulumi").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return asked

    return answers


def test_state_comes_with_its_secrets(pulumi: Pulumi) -> None:
    asked = pulumi("""echo '{"version": 3, "deployment": {"resources": []}}'""")
    assert StackClient("dev").export() == {"deployment": {"resources": []}}
    assert asked.read_text() == "--non-interactive stack export --show-secrets --stack dev\n"


def test_selected_stack_is_taken_and_never_changed(pulumi: Pulumi) -> None:
    asked = pulumi("""echo '[{"name": "a", "current": false}, {"name": "b", "current": true}]'""")
    assert StackClient(None).name == "b"
    assert "select" not in asked.read_text()


def test_without_a_stack_one_has_to_be_named(pulumi: Pulumi) -> None:
    pulumi("echo '[]'")
    with pytest.raises(StateError, match="no stack is selected here: name one with --stack"):
        StackClient(None).export()


def test_state_that_cannot_be_read_is_explained(pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi("echo \"error: no stack named 'dev' found\" >&2; exit 255")
    with pytest.raises(StateError, match="the engine failed: error: no stack named 'dev' found"):
        StackClient("dev").export()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StateError, match="pulumi is not on PATH"):
        StackClient("dev").export()


def test_refresh_is_previewed_for_these_resources_alone(pulumi: Pulumi) -> None:
    asked = pulumi("""echo '{"steps": []}'""")
    assert StackClient("dev").preview_refresh(["urn:a", "urn:b"], 60) == {"steps": []}
    assert asked.read_text() == (
        "--non-interactive refresh --preview-only --json --stack dev --target urn:a --target urn:b\n"
    )


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'error: no answer' >&2; exit 255", "error: no answer"),
        ("""echo '{"diagnostics": [{"message": "connection refused"}]}'; exit 1""", "connection refused"),
        ("exec sleep 60", "`pulumi refresh` did not end within 1 s"),
    ],
)
def test_refresh_that_fails_says_why(pulumi: Pulumi, script: str, why: str) -> None:
    pulumi(script)
    with pytest.raises(EngineError, match=why):
        StackClient("dev").preview_refresh(["urn:a"], 1)


def test_plan_is_read_by_operation(pulumi: Pulumi) -> None:
    steps = [("same", "a"), ("update", "b"), ("create-replacement", "c"), ("replace", "c"), ("delete-replaced", "c")]
    asked = pulumi(f"echo '{json.dumps({'steps': [{'op': op, 'urn': urn} for op, urn in steps]})}'")
    assert StackClient("dev").preview(["urn:a"], {}) == {"b": "update", "c": "replace"}
    assert asked.read_text() == "--non-interactive preview --json --stack dev --target urn:a\n"


@pytest.mark.parametrize("printed", ["", "hello", "{}"])
def test_preview_without_a_plan_is_not_an_empty_plan(pulumi: Pulumi, printed: str) -> None:
    """Else a repair would hold nothing back."""
    pulumi(f"echo '{printed}'")
    with pytest.raises(EngineError, match="printed no plan"):
        StackClient("dev").preview([], {})


def test_update_names_its_targets_and_hands_over_each_line(pulumi: Pulumi) -> None:
    asked = pulumi("echo one; echo two >&2; exit 3")
    lines: list[str] = []
    assert StackClient("dev").update(["urn:a"], lines.append, {}, refresh=True) == 3
    assert lines == ["one\n", "two\n"]
    words = asked.read_text()
    assert words.endswith("--refresh --target urn:a\n")
    assert "--skip-preview" in words


def test_update_of_some_resources_says_so_to_the_program(pulumi: Pulumi) -> None:
    """It deletes nothing, so the program need not refuse what an update of everything would lose."""
    pulumi(f"printenv {PARTIAL}")
    lines: list[str] = []
    StackClient("dev").update(["urn:a"], lines.append, {}, refresh=False)
    assert lines == ["1\n"]


@pytest.mark.parametrize(("printed", "found"), [('{"deployment": {"resources": [{"urn": "a"}]}}', 1), ("{}", 0)])
def test_resources_of_a_state(pulumi: Pulumi, printed: str, found: int) -> None:
    asked = pulumi(f"echo '{printed}'")
    assert len(StackClient("dev").resources()) == found
    assert "--show-secrets" not in asked.read_text()
