"""The committed stacks, previewed by the real engine on a computer without a network, in a shell that knows no uv."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from engine.install import ensure_engine
from stacks.passphrase import PUBLISHED
from tests.acceptance.secrets import where_found
from tests.stacks.sites import ROOT, tree

pytestmark = pytest.mark.engine

OFFLINE: Final = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "-")
"""The engine and its plugins speak to one another over loopback."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the engine's environment, with a state that is empty, and without the toolchains that a host may take."""
    engine = ensure_engine(backend=tmp_path_factory.mktemp("backend"))
    path = [each for each in engine.env["PATH"].split(os.pathsep) if not _has_a_toolchain(Path(each))]
    return {
        **{name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
        **engine.env,
        "PATH": os.pathsep.join(path),
        "PULUMI_CONFIG_PASSPHRASE": PUBLISHED["prod"],
    }


def _has_a_toolchain(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("uv", "poetry"))


@pytest.fixture(scope="module")
def preview(environment: dict[str, str]) -> str:
    """Return what the preview of prod prints; the preview leaves the stack's settings as they are."""
    settings = ROOT / "Pulumi.prod.yaml"
    before = settings.read_text()
    done = _offline(environment, "make", "--no-print-directory", "preview", "STACK=prod")
    assert done.returncode == 0, done.stdout[-4000:]
    assert settings.read_text() == before
    return done.stdout


def _offline(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*OFFLINE, *command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def test_it_shows_every_machine_and_every_disk(preview: str) -> None:
    assert (
        len(set(re.findall(r"henhouse:host:BareMetalNode (\S+) create", preview))) == len(tree("prod")["hosts"]) == 21
    )
    assert len(set(re.findall(r"henhouse:storage:Disk (\S+) create", preview))) == 28


@pytest.mark.parametrize("room", ["kube:CalicoCluster", "app:Hub", "net:IngressProxy", "ops:Monitoring"])
def test_it_shows_every_room(preview: str, room: str) -> None:
    assert f"henhouse:{room} " in preview


def test_it_shows_no_secret(preview: str, environment: dict[str, str]) -> None:
    shown = _offline(environment, "pulumi", "config", "--show-secrets", "--json", "--stack", "prod").stdout
    hidden = _offline(environment, "pulumi", "config", "--json", "--stack", "prod").stdout
    values = {line: line.split('"')[3] for line in shown.splitlines() if line not in hidden and line.count('"') > 3}
    assert values, "the example stack has an example secret"
    assert not where_found(values, {"the preview": preview})


def test_it_stays_a_preview(preview: str) -> None:
    assert "to create" in preview
    assert not re.search(r"\bcreated\b", preview)


def test_rack_too(environment: dict[str, str]) -> None:
    settings = ROOT / "Pulumi.dev.yaml"
    before = settings.read_text()
    of_the_rack = {**environment, "PULUMI_CONFIG_PASSPHRASE": PUBLISHED["dev"]}
    try:
        assert _offline(of_the_rack, "pulumi", "stack", "init", "dev").returncode == 0
        done = _offline(of_the_rack, "pulumi", "--non-interactive", "preview", "--stack", "dev")
    finally:
        settings.write_text(before)
    assert done.returncode == 0, done.stdout[-4000:]
    assert len(set(re.findall(r"henhouse:host:BareMetalNode (\S+) create", done.stdout))) == len(tree("dev")["hosts"])


@pytest.mark.parametrize("target", ["preview", "drift", "repair"])
def test_stack_of_a_site_is_asked_for_its_passphrase(environment: dict[str, str], target: str) -> None:
    without = {name: value for name, value in environment.items() if not name.startswith("PULUMI_CONFIG_PASSPHRASE")}
    done = _offline(without, "make", "--no-print-directory", target, "STACK=mysite")
    assert done.returncode != 0
    assert "export PULUMI_CONFIG_PASSPHRASE_FILE=" in done.stdout


@pytest.mark.parametrize("target", ["drift", "repair"])
def test_passphrase_of_the_example_is_for_its_preview_alone(environment: dict[str, str], target: str) -> None:
    without = {name: value for name, value in environment.items() if not name.startswith("PULUMI_CONFIG_PASSPHRASE")}
    done = _offline(without, "make", "--no-print-directory", target, "STACK=prod")
    assert done.returncode != 0
    assert "export PULUMI_CONFIG_PASSPHRASE_FILE=" in done.stdout
