"""Looks at the machines: runs the `check` of every role in a stack's state, and changes nothing.

The state alone says what to look at: each role's command holds its script, its secrets and its connection. All machines
are asked at once, each over one connection.
"""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import asyncssh

from components.host.render import CHECK, subject

CONNECT_SECONDS: Final = 15
CHECK_SECONDS: Final = 120
COMMAND: Final = "command:remote:Command"
_SECRET: Final = ("4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270")
"""How the engine marks a secret in a state, pulumi/sdk/go/common/resource/sig."""


class ProbeError(Exception):
    """The state could not be read; the message says why."""


@dataclass(frozen=True)
class Applied:
    """A role as it was last applied."""

    command: str
    """Logical name of the role's command."""
    machine: str
    role: str
    script: str
    stdin: str
    connection: Mapping[str, Any]
    probe: str
    """The `delete` input: what an earlier probe left there."""


@dataclass(frozen=True)
class Difference:
    """One thing of a role that is not as it should be."""

    machine: str
    role: str
    item: str
    expected: str
    found: str


@dataclass(frozen=True)
class Unseen:
    """A role that could not be looked at."""

    machine: str
    role: str
    reason: str


@dataclass(frozen=True)
class Seen:
    """What a probe found."""

    applied: tuple[Applied, ...]
    differences: tuple[Difference, ...]
    unseen: tuple[Unseen, ...]

    def of(self, role: Applied) -> list[Difference]:
        """The differences of one role."""
        return [each for each in self.differences if (each.machine, each.role) == (role.machine, role.role)]


def export(stack: str | None) -> dict[str, Any]:
    """The state of `stack`, or of the selected one, with its secrets. `ProbeError` when the CLI cannot give it."""
    command = ["pulumi", "stack", "export", "--show-secrets", "--non-interactive"]
    command += ["--stack", stack] if stack else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ProbeError("there is no pulumi on the PATH to read the stack's state with") from None
    if done.returncode != 0:
        raise ProbeError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    state: dict[str, Any] = json.loads(done.stdout)
    return state


def applied(state: Mapping[str, Any]) -> Iterator[Applied]:
    """The roles in an exported state."""
    for resource in (state.get("deployment") or {}).get("resources") or ():
        if resource.get("type") != COMMAND or resource.get("delete"):
            continue
        inputs = _revealed(resource.get("inputs") or {})
        about = subject(str(inputs.get("create", "")))
        if about is None:
            continue
        machine, role = about
        yield Applied(
            command=resource["urn"].rpartition("::")[2],
            machine=machine,
            role=role,
            script=inputs["create"],
            stdin=inputs.get("stdin") or "",
            connection=inputs["connection"],
            probe=inputs.get("delete") or "",
        )


def _revealed(value: Any) -> Any:
    if isinstance(value, list):
        return [_revealed(each) for each in value]
    if isinstance(value, dict):
        if value.get(_SECRET[0]) == _SECRET[1]:
            return json.loads(value["plaintext"])
        return {key: _revealed(each) for key, each in value.items()}
    return value


async def look(roles: Iterable[Applied]) -> Seen:
    """Runs every role's check. What cannot be looked at is part of the answer, not an error."""
    ordered = sorted(roles, key=lambda role: role.machine)
    machines = [list(group) for _, group in groupby(ordered, key=lambda role: role.machine)]
    found = [each for answers in await asyncio.gather(*map(_machine, machines)) for each in answers]
    return Seen(
        tuple(ordered),
        tuple(each for each in found if isinstance(each, Difference)),
        tuple(each for each in found if isinstance(each, Unseen)),
    )


async def _machine(roles: list[Applied]) -> list[Difference | Unseen]:
    connection = roles[0].connection
    try:
        async with await _connect(connection) as session:
            answers = [each for role in roles for each in await _role(session, role)]
    except (OSError, asyncssh.Error, TimeoutError) as error:
        reason = f"{connection['host']} port {connection.get('port', 22)}: {_reason(error)}"
        return [Unseen(role.machine, role.role, reason) for role in roles]
    return answers


async def _connect(connection: Mapping[str, Any]) -> asyncssh.SSHClientConnection:
    """As the commands' own connections are: this host key or none, and a key or the agent."""
    pinned = asyncssh.import_public_key(connection["hostKey"])
    key = connection.get("privateKey")
    return await asyncssh.connect(
        connection["host"],
        int(connection.get("port", 22)),
        username=connection.get("user", "root"),
        known_hosts=([pinned], [], []),
        server_host_key_algs=["ssh-ed25519"],
        client_keys=[asyncssh.import_private_key(key)] if key else (),
        agent_path=None if key else os.environ.get("SSH_AUTH_SOCK"),
        config=None,
        connect_timeout=CONNECT_SECONDS,
        login_timeout=CONNECT_SECONDS,
    )


async def _role(session: asyncssh.SSHClientConnection, role: Applied) -> list[Difference | Unseen]:
    try:
        # asyncssh closes the input of a command only when it has been given one.
        given: dict[str, Any] = {"input": role.stdin} if role.stdin else {"stdin": asyncssh.DEVNULL}
        done = await session.run(CHECK + role.script, timeout=CHECK_SECONDS, errors="replace", **given)
    except asyncssh.ChannelOpenError as error:
        return [Unseen(role.machine, role.role, _reason(error))]
    except asyncssh.TimeoutError:
        return [Unseen(role.machine, role.role, f"its check did not end within {CHECK_SECONDS} s")]
    if done.exit_status != 0:
        return [Unseen(role.machine, role.role, str(done.stderr).strip() or f"its check ended with {done.exit_status}")]
    return [
        Difference(role.machine, role.role, each["item"], each["expected"], each["found"])
        for each in map(json.loads, str(done.stdout).splitlines())
    ]


def _reason(error: Exception) -> str:
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return "it shows another host key than the one in the settings"
    if isinstance(error, asyncssh.PermissionDenied):
        return "it accepts none of the keys offered"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
