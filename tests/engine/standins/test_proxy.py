"""Commands through a proxy, by our own plugin: the phases and the words of the official one, against real servers."""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest

from engine.standins.command import remote, ssh
from engine.standins.resources import Call, Failed
from tests.converge import test_access
from tests.engine import sshd

pytestmark = pytest.mark.programs

MISMATCH = "ssh: handshake failed: ssh: host key mismatch"
REFUSED = "ssh: rejected: connect failed (Connection refused)"


class Listener:
    """Keeps what is said of failed attempts."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def say(self, text: str) -> None:
        """Keep it."""
        self.said.append(text)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[sshd.Server, sshd.Server]]:
    """Provide the target and the jump before it."""
    with (
        test_access.target_server(tmp_path_factory.mktemp("target"), "bash") as target,
        sshd.jump(tmp_path_factory.mktemp("jump"), target) as jump,
    ):
        yield target, jump


def connection(servers: tuple[sshd.Server, sshd.Server], limit: int = 0, **proxy: object) -> dict[str, Any]:
    target, jump = servers
    common = {"dialErrorLimit": limit, "perDialTimeout": 10}
    way = {**common, "host": "127.0.0.1", "port": jump.port, "hostKey": jump.host_key, **proxy}
    there = {"host": test_access.TARGET, "port": target.port, "user": "ada", "hostKey": target.host_key}
    return {**common, **there, "proxy": way}


def run(given: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the login's name, or the error, and what was said of failed attempts."""
    listener = Listener()

    async def ask() -> str:
        try:
            async with ssh.connected(cast(Call, listener), remote._completed(given)) as made:
                return str((await made.run("id --user --name")).stdout).strip()
        except Failed as error:
            return str(error)

    return asyncio.run(ask()), listener.said


@pytest.fixture(autouse=True)
def _agent(servers: tuple[sshd.Server, sshd.Server], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with sshd.agent(servers[0].files / "client") as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        yield
    (servers[0].files / "agent").unlink(missing_ok=True)


def test_agent_opens_both(servers: tuple[sshd.Server, sshd.Server]) -> None:
    assert run(connection(servers)) == ("ada", [])


def test_proxy_of_another_key(servers: tuple[sshd.Server, sshd.Server]) -> None:
    said, _ = run(connection(servers, hostKey=servers[1].other_key))
    assert said == f"proxy: after 0 failed attempts: {MISMATCH}"


def test_target_of_another_key_has_one_handshake_and_no_second(servers: tuple[sshd.Server, sshd.Server]) -> None:
    """The official plugin begins each later handshake in the channel that the first one closed."""
    said, attempts = run({**connection(servers, limit=2), "hostKey": servers[1].other_key})
    assert said == "proxy: after 2 failed attempts: ssh: handshake failed: EOF"
    assert attempts == [
        f"Dial 1/2 failed: retrying ({MISMATCH})",
        "Dial 2/2 failed: retrying (ssh: handshake failed: EOF)",
    ]


def test_target_that_refuses_is_asked_again_from_the_proxy(servers: tuple[sshd.Server, sshd.Server]) -> None:
    said, attempts = run({**connection(servers, limit=1), "port": 1})
    assert said == f"proxy: after 1 failed attempts: {REFUSED}"
    assert attempts == [f"Dial from proxy 1/1 failed: retrying ({REFUSED})"]
