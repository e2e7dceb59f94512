"""Roles' scripts, run as the program runs them: by a login shell, over SSH."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import asyncssh

from converge.render import CHECK, render, standard_input
from converge.role import Role
from lab import ssh
from lab.rack import Rack
from stacks.load import parse_settings
from stacks.settings import Site
from tests.engine.sshd import Server
from tests.stacks.sites import tree

MACHINE: Final = "chick0"
_CONVERGE: Final = Path(__file__).resolve().parents[2] / "converge"
SHARED: Final = tuple(each.read_text() + "\n" for each in sorted(_CONVERGE.glob("*/*.sh")))
"""The texts that many scripts begin with."""


@cache
def site(stack: str) -> Site:
    """Return the settings of a committed stack."""
    return parse_settings(tree(stack))


def own_text(script: str) -> str:
    """Return a script without the parts that many scripts share."""
    for part in SHARED:
        script = script.replace(part, "")
    return script


@dataclass(frozen=True)
class Answer:
    """How a script ended, and what it said."""

    status: int
    stdout: str
    stderr: str

    @property
    def differences(self) -> list[dict[str, str]]:
        """What a check found."""
        return [each for each in self._told if "item" in each]

    @property
    def digests(self) -> dict[str, str]:
        """What a check told of the facts, by name."""
        return {each["fact"]: each["digest"] for each in self._told if "fact" in each}

    @property
    def _told(self) -> list[dict[str, str]]:
        assert self.status == 0, self.stderr
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def found(self) -> dict[str, str]:
        """What a check found, by item."""
        return {each["item"]: each["found"] for each in self.differences}

    @property
    def facts(self) -> dict[str, str]:
        """What an apply told."""
        assert self.status == 0, self.stderr
        facts: dict[str, str] = json.loads(self.stdout)
        return facts


class Shell(ABC):
    """A machine's login shell, over SSH."""

    @abstractmethod
    def run(self, command: str, stdin: str = "") -> Answer:
        """Run one command."""

    def check(self, role: Role, secrets: Mapping[str, str] | None = None) -> Answer:
        """Return what `check` says."""
        return self.run(CHECK + render(role, MACHINE, secrets or {}), standard_input(secrets or {}))

    def apply(self, role: Role, secrets: Mapping[str, str] | None = None) -> Answer:
        """Return what `apply` says."""
        return self.run(render(role, MACHINE, secrets or {}), standard_input(secrets or {}))


class RackShell(Shell):
    """On a machine of a rack."""

    def __init__(self, rack: Rack, machine: str) -> None:
        self._rack = rack
        self._machine = machine

    def run(self, command: str, stdin: str = "") -> Answer:
        done = ssh.on(self._rack, self._machine, command, stdin=stdin.encode(), check=False)
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


class LoopbackShell(Shell):
    """On a server of the loopback, all over one connection."""

    def __init__(self, server: Server) -> None:
        self.connection: Final[dict[str, Any]] = {
            "host": "127.0.0.1",
            "port": server.port,
            "hostKey": server.host_key,
            "privateKey": server.private_key,
        }
        """As the state of a stack holds it."""
        self._loop = asyncio.new_event_loop()
        self._session = self._loop.run_until_complete(self._connect())

    def run(self, command: str, stdin: str = "") -> Answer:
        given: dict[str, Any] = {"input": stdin} if stdin else {"stdin": asyncssh.DEVNULL}
        done = self._loop.run_until_complete(self._session.run(command, **given))
        return Answer(done.exit_status if done.exit_status is not None else -1, str(done.stdout), str(done.stderr))

    def close(self) -> None:
        """End the connection."""
        self._session.close()
        self._loop.run_until_complete(self._session.wait_closed())
        self._loop.close()

    async def _connect(self) -> asyncssh.SSHClientConnection:
        return await asyncssh.connect(
            self.connection["host"],
            self.connection["port"],
            username="root",
            known_hosts=([asyncssh.import_public_key(self.connection["hostKey"])], [], []),
            client_keys=[asyncssh.import_private_key(self.connection["privateKey"])],
            config=None,
            agent_path=None,
        )
