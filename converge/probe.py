"""Looks at the machines: runs the `check` of every role in a stack's state, and changes nothing.

The state alone says what to look at: each role's command holds its script, its secrets and its connection. All machines
are asked at once, each over one connection.
"""

import asyncio
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import asyncssh

from converge.render import CHECK
from converge.report import Difference, NotChecked
from converge.state import AppliedRole

CONNECT_SECONDS: Final = 15
CHECK_SECONDS: Final = 120


@dataclass(frozen=True)
class ProbeResult:
    """What a probe found."""

    roles: tuple[AppliedRole, ...]
    differences: tuple[Difference, ...]
    not_checked: tuple[NotChecked, ...]

    def of(self, role: AppliedRole) -> list[Difference]:
        """Return the differences of one role."""
        return [each for each in self.differences if (each.machine, each.role) == (role.machine, role.role)]


async def probe(roles: Iterable[AppliedRole]) -> ProbeResult:
    """Run every role's check. What cannot be looked at is part of the answer, not an error."""
    ordered = sorted(roles, key=lambda role: role.machine)
    machines = [list(group) for _, group in groupby(ordered, key=lambda role: role.machine)]
    found = [each for answers in await asyncio.gather(*map(_machine, machines)) for each in answers]
    return ProbeResult(
        tuple(ordered),
        tuple(each for each in found if isinstance(each, Difference)),
        tuple(each for each in found if isinstance(each, NotChecked)),
    )


async def _machine(roles: list[AppliedRole]) -> list[Difference | NotChecked]:
    connection = roles[0].connection
    try:
        async with await _connect(connection) as session:
            answers = [each for role in roles for each in await _role(session, role)]
    except (OSError, asyncssh.Error, asyncssh.KeyImportError, TimeoutError) as error:
        reason = f"{connection['host']} port {connection.get('port', 22)}: {_reason(error)}"
        return [NotChecked(role.machine, role.role, reason) for role in roles]
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


async def _role(session: asyncssh.SSHClientConnection, role: AppliedRole) -> list[Difference | NotChecked]:
    try:
        # asyncssh closes the input of a command only when it has been given one.
        given: dict[str, Any] = {"input": role.stdin} if role.stdin else {"stdin": asyncssh.DEVNULL}
        done = await session.run(CHECK + role.script, timeout=CHECK_SECONDS, errors="replace", **given)
    except asyncssh.ChannelOpenError as error:
        return [NotChecked(role.machine, role.role, _reason(error))]
    except asyncssh.TimeoutError:
        return [NotChecked(role.machine, role.role, f"its check did not end within {CHECK_SECONDS} s")]
    if done.exit_status != 0:
        return [
            NotChecked(role.machine, role.role, str(done.stderr).strip() or f"its check ended with {done.exit_status}")
        ]
    return [
        Difference(role.machine, role.role, each["item"], each["expected"], each["found"])
        for each in answers(str(done.stdout))
    ]


def answers(printed: str) -> Iterator[Mapping[str, str]]:
    """Yield the differences in what a check printed. Other lines are the machine's own greeting (`.bashrc`)."""
    for line in printed.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.keys() == {"item", "expected", "found"}:
            yield found


def _reason(error: Exception) -> str:
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return "its host key differs from the one in the settings"
    if isinstance(error, asyncssh.PermissionDenied):
        return "it accepts none of the keys offered"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
