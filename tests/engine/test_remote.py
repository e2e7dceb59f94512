"""Commands over SSH against a real server."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine import sshd
from tests.engine.project import Project, name_of, running, until
from tests.stacks.sites import ROOT

pytestmark = pytest.mark.engine

Make = Callable[..., Project]

TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    with sshd.server(tmp_path_factory.mktemp("ssh")) as running:
        yield running


@pytest.fixture
def stack(project: Make, server: sshd.Server) -> Project:
    made = project("remote", port=server.port, host_key=server.host_key)
    made.configure_secret("token", TOKEN)
    made.environment.pop("SSH_AUTH_SOCK", None)
    return made


@pytest.fixture
def let_in(stack: Project, server: sshd.Server) -> Project:
    """Provide the stack, with a key that the server accepts."""
    stack.configure_secret("private_key", server.private_key)
    return stack


def test_life(let_in: Project, server: sshd.Server) -> None:
    secret = server.files / "secret"
    let_in.up()
    assert let_in.outputs() == {"stdout": "made one", "stderr": "aside"}
    assert secret.read_text() == TOKEN
    assert secret.stat().st_mode & 0o777 == 0o600
    let_in.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")

    let_in.configure(text="two")
    assert let_in.plan() == {"command": "update"}
    let_in.up()
    assert let_in.outputs() == {"stdout": "updated to two", "stderr": ""}
    let_in.destroy()
    assert not secret.exists()


def test_agent(stack: Project, server: sshd.Server) -> None:
    with sshd.agent(server.files / "client") as socket:
        stack.environment["SSH_AUTH_SOCK"] = socket
        stack.up()
        stack.destroy()


def test_wrong_host_key(let_in: Project, server: sshd.Server) -> None:
    let_in.configure(host_key=server.other_key)
    before = server.said().count("Accepted publickey")
    printed, _ = let_in.up(fails=True)
    assert "after 1 failed attempts: ssh: handshake failed: ssh: host key mismatch" in printed
    assert server.said().count("Accepted publickey") == before
    assert TOKEN not in printed


def test_wrong_private_key(stack: Project, server: sshd.Server) -> None:
    stack.configure_secret("private_key", (server.files / "other").read_text())
    printed, _ = stack.up(fails=True)
    assert "ssh: unable to authenticate" in printed


def test_refused_connection_is_tried_again(let_in: Project, server: sshd.Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    let_in.configure(port=port, dials=3)
    printed, _ = let_in.up(fails=True)
    assert f"after 3 failed attempts: dial tcp 127.0.0.1:{port}: connect: connection refused" in printed


def test_failing_command(let_in: Project) -> None:
    let_in.configure(failing=True)
    printed, _ = let_in.up(fails=True)
    assert "Process exited with status 3" in printed
    assert "about to fail\nbecause" in printed.replace("    ", "")
    resources = let_in.state()["resources"]
    assert "made one" in [each.get("outputs", {}).get("stdout") for each in resources], "what succeeded is kept"
    let_in.configure(failing=None)
    let_in.up()
    let_in.destroy()


def test_fault_of_one_machine_is_named_and_holds_up_no_other(project: Make, server: sshd.Server) -> None:
    stack = project("roles", port=server.port, host_key=server.host_key, other_host_key=server.other_key)
    stack.environment["PYTHONPATH"] = str(ROOT)
    stack.configure_secret("private_key", server.private_key)
    printed = stack.pulumi("up", "--yes", "--skip-preview", "--continue-on-error", fails=True)
    assert "henhouse: broken: first: what it needs: failed with exit status 7" in printed
    assert "stranger-first" in printed
    assert "host key mismatch" in printed
    made = {name_of(each["urn"]) for each in stack.state()["resources"]}
    assert {"good-first-command", "good-second-command"} <= made
    assert not made & {f"{name}-{role}-command" for name in ("broken", "stranger") for role in ("first", "second")}
    assert (server.files / "good-second").read_text() == "done\n"
    assert not (server.files / "broken-second").exists()


def test_interrupt_ends_the_remote_command(let_in: Project, server: sshd.Server) -> None:
    with _under_way(let_in, server) as process:
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=30)
        assert process.returncode != 0, printed
    until("the command is gone", lambda: not running("sleep", "600"))
    assert "pending_operations" not in let_in.state()
    let_in.configure(slow=None)
    let_in.up()
    let_in.destroy()


def test_a_silent_connection_is_looked_after(let_in: Project, server: sshd.Server) -> None:
    """The kernel asks the other side in less than 15 s whether it is still there."""
    with _under_way(let_in, server):
        ours = [line.split() for line in _connections(server.port) if f":{server.port:04X}" in line.split()[2]]
        timers = [fields[5].split(":") for fields in ours]
        assert timers
        assert all(kind == "02" and int(ticks, 16) <= 15 * os.sysconf("SC_CLK_TCK") for kind, ticks in timers), timers


@contextmanager
def _under_way(stack: Project, server: sshd.Server) -> "Iterator[subprocess.Popen[str]]":
    """Start an update whose remote command does nothing for ten minutes; interrupt it at the end, if not before."""
    stack.configure(slow=True)
    process = stack.begin_up()
    try:
        until("its command began", (server.files / "started").exists, process)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        (server.files / "started").unlink(missing_ok=True)


def test_many_at_once(let_in: Project, server: sshd.Server) -> None:
    let_in.configure(many=60)
    _, steps = let_in.up()
    assert len([name for operation, name in steps if operation == "create" and name.startswith("many-")]) == 60
    begun = time.monotonic()
    let_in.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    print(f"unchanged up of 61 commands: {time.monotonic() - begun:.1f} s")
    let_in.destroy()
    until("all connections are closed", lambda: not _connections(server.port))


def _connections(port: int) -> list[str]:
    """Return the lines of established connections to the port, proc(5)."""
    wanted = f":{port:04X} "
    return [line for line in Path("/proc/net/tcp").read_text().splitlines() if wanted in line and " 01 " in line]
