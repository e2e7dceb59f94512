"""SSH connections as the commands' own are: this host key or none, a key or the agent, and through the jump if there is
one."""

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import asyncssh

CONNECT_SECONDS: Final = 15
"""How long a machine may take to accept a connection: one that is off never does."""
LOGIN_SECONDS: Final = 60
"""How long a machine that has accepted one may take for the login. A busy one takes far longer than one that rests."""
KEEPALIVE_SECONDS: Final = 15
KEEPALIVE_SILENCES: Final = 8
"""Keepalives to the jump: their interval, and how many unanswered ones end the connection, which takes two minutes. A
jump that is only busy answers before."""

Connection = Mapping[str, Any]
"""The inputs of a command's connection, in the engine's camelCase."""


class JumpError(Exception):
    """The jump cannot be used; the message names it and says why."""


class Jumps:
    """Connections to jumps: one to each, however many machines are behind it."""

    def __init__(self) -> None:
        """Begin with none."""
        self._made: dict[str, asyncio.Task[asyncssh.SSHClientConnection]] = {}

    async def __aenter__(self) -> "Jumps":
        """Return itself; all connections are closed on leaving."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        for task in self._made.values():
            task.cancel()
        for made in await asyncio.gather(*self._made.values(), return_exceptions=True):
            if isinstance(made, asyncssh.SSHClientConnection):
                made.close()
                await made.wait_closed()

    async def to(self, jump: Connection) -> asyncssh.SSHClientConnection:
        """Return the connection to a jump; JumpError if there is none to be had."""
        name = f"{jump.get('user')}@{where(jump)} {jump['hostKey']}"
        if name not in self._made:
            self._made[name] = asyncio.create_task(connect_to_jump(jump))
        return await asyncio.shield(self._made[name])

    async def connect(self, connection: Connection) -> asyncssh.SSHClientConnection:
        """Connect to a machine. JumpError, OSError, asyncssh.Error or TimeoutError when that fails."""
        jump = connection.get("proxy")
        return await _connect(connection, await self.to(jump) if jump else None)


async def connect_to_jump(jump: Connection) -> asyncssh.SSHClientConnection:
    """Connect to a jump; JumpError when that fails."""
    try:
        return await _connect(jump, None)
    except (OSError, asyncssh.Error, asyncssh.KeyImportError, TimeoutError) as error:
        raise JumpError(f"the jump {where(jump)}: {reason(error, 'access.jump')}") from error


async def _connect(connection: Connection, tunnel: asyncssh.SSHClientConnection | None) -> asyncssh.SSHClientConnection:
    pinned = asyncssh.import_public_key(connection["hostKey"])
    key = connection.get("privateKey")
    async with asyncio.timeout(CONNECT_SECONDS) as limit:
        return await asyncssh.connect(
            connection["host"],
            int(connection.get("port", 22)),
            tunnel=tunnel or (),
            client_factory=partial(_Accepted, limit),
            username=connection.get("user", "root"),
            known_hosts=([pinned], [], []),
            server_host_key_algs=["ssh-ed25519"],
            client_keys=[_own(key)] if key else (),
            agent_path=None if key else os.environ.get("SSH_AUTH_SOCK"),
            config=None,
            login_timeout=0,  # asyncssh has its own beside `limit`, and another error for it
            keepalive_interval=KEEPALIVE_SECONDS,
            keepalive_count_max=KEEPALIVE_SILENCES,
        )


class _Accepted(asyncssh.SSHClient):
    """Gives the login its own time once the machine has accepted the connection."""

    def __init__(self, limit: asyncio.Timeout) -> None:
        self._limit = limit

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._limit.reschedule(asyncio.get_running_loop().time() + LOGIN_SECONDS)


def _own(key: str) -> asyncssh.SSHKey:
    """Return the administrator's key; asyncssh.KeyImportError that says what is wrong with it, and not what it is."""
    try:
        return asyncssh.import_private_key(key)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise asyncssh.KeyImportError(
            "access.private_key is not a private key of SSH without a passphrase: give the whole file, such as "
            "id_ed25519, or leave the setting away to use the keys of your agent"
        ) from error


def where(connection: Connection) -> str:
    """Return where a connection leads, for people."""
    through = connection.get("proxy")
    return f"{connection['host']} port {int(connection.get('port', 22))}" + (
        f", through {through['host']} port {int(through.get('port', 22))}" if through else ""
    )


def reason(error: Exception, settings: str = "") -> str:
    """Say why a connection failed; `settings` is where its host key stands."""
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return "its host key differs from the one in the settings" + (f" ({settings})" if settings else "")
    if isinstance(error, asyncssh.PermissionDenied):
        return "it accepts none of the keys offered"
    if isinstance(error, asyncssh.ChannelOpenError) and error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
        return "the jump does not forward connections (AllowTcpForwarding in its sshd_config)"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
