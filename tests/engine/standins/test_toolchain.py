"""Which Python the language host takes, by the rules of the official one."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.standins.language.toolchain import ToolchainError, resolve
from tests.stacks.sites import ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a project with an environment of each usual name, in a shell whose PATH has neither uv nor poetry."""
    for name in (".venv", "venv", "elsewhere"):
        _program(tmp_path / name / "bin/python")
    _program(tmp_path / "bin/python3")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("UV_PROJECT_ENVIRONMENT", raising=False)
    monkeypatch.delenv("PULUMI_PYTHON_CMD", raising=False)
    return tmp_path


def _program(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch(mode=0o755)


def _with_uv(project: Path) -> None:
    (project / "bin/uv").touch(mode=0o755)


def _python(project: Path, program: str = "", **options: Any) -> str:
    found = resolve(project, project / program, options)
    return str(found.python.relative_to(project))


@pytest.mark.parametrize("options", [{}, {"virtualenv": ".venv"}, {"toolchain": "uv"}])
def test_uv_has_to_be_on_the_path_of_a_project_with_its_lock_file(project: Path, options: dict[str, str]) -> None:
    (project / "uv.lock").touch()
    with pytest.raises(ToolchainError, match="Could not find `uv` executable"):
        _python(project, **options)
    _with_uv(project)
    assert _python(project, **options) == ".venv/bin/python"


def test_named_toolchain_goes_before_the_lock_file(project: Path) -> None:
    (project / "uv.lock").touch()
    assert _python(project, toolchain="pip", virtualenv="venv") == "venv/bin/python"
    assert resolve(project, project, {"toolchain": "pip", "virtualenv": "venv"}).lists_with_pip


def test_lock_file_is_looked_for_from_the_program_upwards(project: Path) -> None:
    (project / "uv.lock").touch()
    (project / "deep/er").mkdir(parents=True)
    with pytest.raises(ToolchainError, match="`uv`"):
        _python(project, "deep/er")
    _with_uv(project)
    assert _python(project, "deep/er") == ".venv/bin/python"
    assert not resolve(project, project, {}).lists_with_pip


def test_environment_of_uv(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "uv.lock").touch()
    _with_uv(project)
    monkeypatch.setenv("UV_PROJECT_ENVIRONMENT", "elsewhere")
    assert _python(project) == "elsewhere/bin/python"
    assert _python(project, virtualenv="venv") == "venv/bin/python"


def test_poetry_has_to_be_on_the_path_too(project: Path) -> None:
    (project / "poetry.lock").touch()
    with pytest.raises(ToolchainError, match="Could not find `poetry` executable"):
        _python(project)
    assert _python(project, toolchain="pip", virtualenv="venv") == "venv/bin/python"


def test_without_an_environment_it_is_the_python_on_the_path(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _python(project) == "bin/python3"
    monkeypatch.setenv("PULUMI_PYTHON_CMD", "python-of-mine")
    with pytest.raises(ToolchainError, match="python-of-mine"):
        _python(project)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"virtualenv": "nowhere"}, 'set to "nowhere", but ".*/nowhere" doesn\'t exist'),
        ({"virtualenv": "bin"}, "doesn't appear to be a virtual environment"),
        ({"toolchain": "pipenv"}, "unsupported toolchain option: pipenv"),
        ({"toolchain": 3}, "toolchain option must be a string"),
        ({"typechecker": "pytype"}, "unsupported typechecker option: pytype"),
    ],
)
def test_what_cannot_be_followed_is_said(project: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolchainError, match=said):
        _python(project, **options)


def test_this_project_needs_no_program_beside_its_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The official host lists the packages with the environment's own pip."""
    monkeypatch.setenv("PATH", str(tmp_path))
    options = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["runtime"]["options"]
    found = resolve(ROOT, ROOT, options)
    assert found.lists_with_pip
    assert found.python.resolve() == Path(sys.executable).resolve()
    import pip

    assert Path(pip.__file__).is_relative_to(found.python.parents[1])
