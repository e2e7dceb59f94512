"""Commands over SSH against a real server."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engine import sshd
from tests.engine.project import STACK, Project, name_of, until
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


def test_drift_is_seen_and_repaired_with_a_key_in_the_settings(project: Make, server: sshd.Server) -> None:
    """The state nests the key, a secret, inside the connection, which is one too."""
    stack = project(
        "roles", port=server.port, host_key=server.host_key, other_host_key=server.other_key, only_good=True
    )
    stack.environment["PYTHONPATH"] = str(ROOT)
    stack.environment.pop("SSH_AUTH_SOCK", None)
    stack.configure_secret("private_key", server.private_key)
    stack.up()
    for side in ("inputs", "outputs"):
        connection = json.loads(_resource(stack, "good-second-command")[side]["connection"]["plaintext"])
        assert json.loads(connection["privateKey"]["plaintext"]) == server.private_key
        assert connection["host"] == "127.0.0.1"
    assert server.private_key.split()[4] not in stack.pulumi("stack", "export")
    assert _drift(stack) == (0, [])

    (server.files / "good-second").write_text("spoiled\n")
    status, found = _drift(stack)
    assert status == 1
    assert [(each["machine"], each["role"]) for each in found] == [("good", "second")]
    assert stack.plan() == {}
    stack.environment["HENHOUSE_PROBE"] = "1"
    assert stack.plan() == {"good-second-command": "update"}
    stack.up()
    assert (server.files / "good-second").read_text() == "done\n"
    assert _drift(stack) == (0, [])
    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def _resource(stack: Project, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        each for each in stack.state(decrypted=True)["resources"] if name_of(each["urn"]) == name
    ]
    return found[0]


def _drift(stack: Project) -> tuple[int, list[dict[str, str]]]:
    """Return the exit status of `ops drift` and the differences that it names."""
    command = [sys.executable, "-m", "ops", "drift", "--stack", STACK, "--json"]
    done = subprocess.run(
        command, cwd=stack.directory, env=stack.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    answer = json.loads(done.stdout)
    assert answer["unseen"] == []
    return done.returncode, answer["differences"]


def test_interrupt_waits_for_the_remote_command(let_in: Project, server: sshd.Server) -> None:
    """As with the official plugin: what has begun on a machine ends, is recorded, and is not done again."""
    with _under_way(let_in, server) as process:
        process.send_signal(signal.SIGINT)
        _until_said(process, "cancelling")
        assert _connections(server.port)
        assert process.poll() is None
        _let_go(server)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode != 0, printed
    state = let_in.state()
    assert "pending_operations" not in state
    slow = next(each for each in state["resources"] if name_of(each["urn"]) == "slow")
    assert slow["outputs"]["stdout"] == "gone"
    _, steps = let_in.up()
    assert not [name for operation, name in steps if name == "slow" and operation == "create"]
    let_in.configure(slow=None)
    let_in.up()
    let_in.destroy()


def _until_said(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"the update ended without {word!r}")


def _let_go(server: sshd.Server) -> None:
    """Let the command end that waits for a word."""
    try:
        descriptor = os.open(server.files / "go", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # no process waits, or there is nothing to wait at
        return
    os.write(descriptor, b"gone\n")
    os.close(descriptor)


def test_a_silent_connection_is_looked_after(let_in: Project, server: sshd.Server) -> None:
    """The kernel asks the other side in less than 15 s whether it is still there."""
    with _under_way(let_in, server):
        ours = [line.split() for line in _connections(server.port) if f":{server.port:04X}" in line.split()[2]]
        timers = [fields[5].split(":") for fields in ours]
        assert timers
        assert all(kind == "02" and int(ticks, 16) <= 15 * os.sysconf("SC_CLK_TCK") for kind, ticks in timers), timers


@contextmanager
def _under_way(stack: Project, server: sshd.Server) -> "Iterator[subprocess.Popen[str]]":
    """Start an update whose remote command waits for a word; give it at the end, and interrupt it, if not before."""
    stack.configure(slow=True)
    process = stack.begin_up()
    try:
        until("its command began", (server.files / "started").exists, process)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        _let_go(server)
        process.communicate(timeout=60)
        for name in ("started", "go"):
            (server.files / name).unlink(missing_ok=True)


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
