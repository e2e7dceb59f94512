"""HostState through the real engine: a machine that only a jump reaches, and a login that uses sudo."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from converge.probe import probe
from converge.state import applied_roles
from engine.install import Engine
from tests.converge import test_access
from tests.engine import sshd
from tests.engine.project import Project, until
from tests.stacks.sites import ROOT
from tests.tools import free_port, listens

pytestmark = pytest.mark.engine

Make = Callable[..., Project]

TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    with test_access.target_server(tmp_path_factory.mktemp("target"), "bash") as running:
        yield running


@pytest.fixture(scope="module")
def jump(server: sshd.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    with sshd.jump(tmp_path_factory.mktemp("jump"), server) as running:
        yield running


@pytest.fixture
def stack(project: Make, server: sshd.Server, jump: sshd.Server) -> Project:
    made = project("behind", port=server.port, host_key=server.host_key, jump_port=jump.port, jump_key=jump.host_key)
    made.environment["PYTHONPATH"] = str(ROOT)
    made.environment.pop("SSH_AUTH_SOCK", None)
    made.configure_secret("token", TOKEN)
    return made


def test_role_is_applied_seen_and_kept_through_the_jump(stack: Project, server: sshd.Server) -> None:
    stack.configure_secret("private_key", server.private_key)
    printed, _ = stack.up()
    assert stack.outputs() == {"facts": {"who": "root"}}
    assert test_access.inside(server, "cat /srv/secret").stdout == TOKEN
    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert TOKEN not in printed

    test_access.inside(server, "echo other >/srv/secret")
    seen = asyncio.run(probe(applied_roles({"deployment": stack.state(decrypted=True)})))
    assert seen.not_checked == ()
    assert [(each.item, each.expected) for each in seen.differences] == [("file /srv/secret", "the secret token")]


def test_agent_opens_the_jump_and_the_machine(stack: Project, server: sshd.Server) -> None:
    with sshd.agent(server.files / "client") as path:
        stack.environment["SSH_AUTH_SOCK"] = path
        stack.up()
    assert "PRIVATE KEY" not in str(stack.state(decrypted=True))


def test_jump_of_another_key_is_said_as_the_official_plugin_says_it(stack: Project, server: sshd.Server) -> None:
    stack.environment["ONCE"] = "1"
    stack.configure_secret("private_key", server.private_key)
    stack.configure(jump_key=server.other_key)
    printed, _ = stack.up(fails=True)
    assert "proxy: after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch" in printed
    assert TOKEN not in printed


def test_one_command_opens_the_tunnel_and_ends_as_it_does(
    engine: Engine, server: sshd.Server, jump: sshd.Server, tmp_path: Path
) -> None:
    """`ops tunnel -- COMMAND` of a stack whose key is encrypted in its file."""
    settings = test_access.site_behind(server, jump)
    port = free_port()
    settings["access"]["jump"]["tunnel_port"] = port
    (tmp_path / "Pulumi.yaml").write_text("name: henhouse\nruntime: python\n")
    config = {f"henhouse:{key}": value for key, value in settings.items()}
    (tmp_path / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}))
    (tmp_path / "backend").mkdir()
    environment = {
        **os.environ,
        **engine.env,
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/backend",
        "PULUMI_CONFIG_PASSPHRASE": "not a secret",
        "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(tmp_path),
    }
    environment.pop("SSH_AUTH_SOCK", None)

    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    assert run("pulumi", "--non-interactive", "stack", "init", "dev").returncode == 0
    key = ("--path", "henhouse:access.private_key", "--", server.private_key)
    assert run("pulumi", "--non-interactive", "config", "set", "--stack", "dev", "--secret", *key).returncode == 0
    tunnel = (sys.executable, "-m", "ops", "tunnel", "--stack", "dev", "--")
    greeting = f"exec 3<>/dev/tcp/127.0.0.1/{port}; printf '\\x05\\x01\\x00' >&3; head --bytes=2 <&3 | xxd -p; exit 7"
    done = run(*tunnel, "bash", "-c", greeting)
    assert (done.stdout, done.returncode) == ("0500\n", 7), done.stderr
    until("the tunnel has gone with its command", lambda: not listens(port))

    other = ("henhouse:access.jump.host_key", jump.other_key)
    assert run("pulumi", "config", "set", "--stack", "dev", "--path", *other).returncode == 0
    done = run(*tunnel, "echo", "started")
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.strip().endswith("its host key differs from the one in the settings (access.jump)")
