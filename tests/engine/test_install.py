"""Which engine is used, and how the lab's own is put together."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import install
from engine.install import Engine, ensure_engine, install_standins, launcher, official_cli, plugins
from lab.rack import load_rack
from lab.versions import PULUMI, ROOT


def _fake_engine(directory: Path, version: str) -> None:
    """Write a `pulumi` that knows only its version, with a plugin of each kind."""
    programs = {directory / "bin/pulumi": f"#!/bin/sh\necho {version}\n"}
    for plugin in plugins():
        programs[directory / "home/plugins" / plugin.directory / plugin.program] = "\x7fELF"
    for path, text in programs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    _fake_engine(tmp_path, f"v{PULUMI}")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_HOME", f"{tmp_path}/home")
    return tmp_path


def test_installed_engine_is_used(installed: Path) -> None:
    assert official_cli() == installed / "bin/pulumi"


def test_engine_of_another_version_is_not(installed: Path) -> None:
    _fake_engine(installed, "v3.1.0")
    assert official_cli() is None


def test_engine_without_a_plugin_is_not(installed: Path) -> None:
    plugin = plugins()[-1]
    (installed / "home/plugins" / plugin.directory / plugin.program).unlink()
    assert official_cli() is None


def test_engine_with_stand_ins_is_not_official(installed: Path) -> None:
    install_standins(installed / "home")
    assert official_cli() is None


def test_plugins_have_the_versions_of_the_sdks() -> None:
    directories = [plugin.directory for plugin in plugins()]
    assert directories[0] == f"language-python-v{PULUMI}"
    assert "resource-command-v1.2.1" in directories


def test_stand_ins_of_other_versions_go(tmp_path: Path) -> None:
    old = tmp_path / "plugins/resource-command-v0.1.0"
    old.mkdir(parents=True)
    install_standins(tmp_path)
    assert {path.name for path in (tmp_path / "plugins").iterdir()} == {plugin.directory for plugin in plugins()}
    assert not old.exists()


def test_every_launcher_finds_its_module(tmp_path: Path) -> None:
    """Wherever it is started, and whatever the environment says of Python."""
    for plugin in plugins():
        text = launcher(plugin)
        assert text.startswith("#!/bin/sh\nexec ")
        script = tmp_path / plugin.program
        script.write_text(text.replace("; main(", "; print(main.__module__) #"))
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": "/nonexistent", "PYTHONHOME": "/nonexistent"}
        done = subprocess.run(["sh", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == plugin.module


@pytest.mark.engine
def test_engine_environment(engine: Engine) -> None:
    assert set(engine.env) == {
        "PATH",
        "PULUMI_HOME",
        "PULUMI_BACKEND_URL",
        "PULUMI_SKIP_UPDATE_CHECK",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
    }
    done = subprocess.run(
        ["pulumi", "version"], env={**os.environ, **engine.env}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"v{PULUMI}"


@pytest.mark.engine
def test_command_line(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HENHOUSE_STATE", str(tmp_path))
    program = [sys.executable, "-m", "engine"]
    command = [*program, "exec", "--backend", str(tmp_path / "state"), "--", "sh", "-c", "pulumi version; env"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"v{PULUMI}\n")
    assert f"PULUMI_BACKEND_URL=file://{tmp_path}/state\n" in done.stdout
    shown = subprocess.run([*program, "env"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "export PULUMI_HOME=" in shown


@pytest.mark.engine
def test_state_is_kept_where_the_caller_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HENHOUSE_STATE", str(tmp_path))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    assert ensure_engine().env["PULUMI_BACKEND_URL"].startswith(f"file://{tmp_path}/")
    assert not load_rack("dev").state.exists(), "nothing is made for a rack that was not asked for"
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://another-states")
    assert ensure_engine().env["PULUMI_BACKEND_URL"] == "s3://another-states"
    assert ensure_engine(backend=tmp_path).env["PULUMI_BACKEND_URL"] == f"file://{tmp_path}"
    assert ensure_engine("dev").env["PULUMI_BACKEND_URL"].startswith(f"file://{load_rack('dev').state}/")


def test_go_module_is_pinned() -> None:
    module = Path(install.__file__).with_name("go")
    assert f"github.com/pulumi/pulumi/pkg/v3 v{PULUMI}" in (module / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{PULUMI} h1:" in (module / "go.sum").read_text()
