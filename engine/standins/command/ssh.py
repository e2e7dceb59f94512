"""SSH connections as the provider's `connection` input describes them."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import asyncssh

from engine.standins.resources import Call, Failed
from engine.standins.values import Props

_FIRST_DELAY: Final = 0.1
_DELAY_GROWS: Final = 1.5
_LONGEST_DELAY: Final = 5.0

_KEEPALIVE: Final = {socket.TCP_KEEPIDLE: 15, socket.TCP_KEEPINTVL: 15, socket.TCP_KEEPCNT: 9}
"""As every connection of a Go program (seconds, seconds, probes; https://pkg.go.dev/net#KeepAliveConfig): a command
on a machine that lost its power fails after two minutes and a half, on one that was started again within seconds."""

_SYSTEM_TEXTS: Final = {
    errno.ECONNREFUSED: "connect: connection refused",
    errno.EHOSTUNREACH: "connect: no route to host",
    errno.ENETUNREACH: "connect: network is unreachable",
    errno.ECONNRESET: "read: connection reset by peer",
}

_REJECTIONS: Final = {
    asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED: "administratively prohibited",
    asyncssh.OPEN_CONNECT_FAILED: "connect failed",
    asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE: "unknown channel type",
    asyncssh.OPEN_RESOURCE_SHORTAGE: "resource shortage",
}
"""In x/crypto/ssh's words, RFC 4254, 5.1."""


class _Ended(asyncssh.Error):
    """What a handshake over a closed channel meets."""

    def __init__(self) -> None:
        super().__init__(asyncssh.DISC_CONNECTION_LOST, "EOF")


class _Pinned(asyncssh.SSHClient):
    """Accepts one host key only."""

    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key.public_data

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        return bool(key.public_data == self._key)


def _host_key_options(pin: str | None) -> Props:
    """Without a pin every host key is accepted: that is what the official provider does."""
    if not pin:
        return {"known_hosts": None}
    key = asyncssh.import_public_key(pin)
    no_known_hosts: tuple[list[str], list[str], list[str]] = ([], [], [])
    return {
        "known_hosts": no_known_hosts,
        "client_factory": lambda: _Pinned(key),
        "server_host_key_algs": [key.algorithm.decode()],
    }


@asynccontextmanager
async def _client_keys(connection: Props) -> AsyncIterator[list[Any]]:
    """Hold the connection's own private key, then the agent's keys; never use files of the user who runs the engine."""
    keys: list[Any] = []
    if connection.get("privateKey"):
        keys.append(asyncssh.import_private_key(connection["privateKey"], connection.get("privateKeyPassword")))
    path = connection.get("agentSocketPath") or os.environ.get("SSH_AUTH_SOCK")
    if not path:
        yield keys
        return
    agent = asyncssh.SSHAgentClient(path)
    try:
        yield [*keys, *(await agent.get_keys())]
    finally:
        agent.close()
        await agent.wait_closed()


async def _dial_once(connection: Props, tunnel: asyncssh.SSHClientConnection | None) -> asyncssh.SSHClientConnection:
    timeout = connection.get("perDialTimeout") or None
    async with _client_keys(connection) as keys:
        made = await asyncssh.connect(
            connection["host"],
            int(connection["port"]),
            tunnel=tunnel or (),
            config=None,
            username=connection["user"],
            password=connection.get("password"),
            client_keys=keys or None,
            agent_path=None,
            connect_timeout=timeout,
            login_timeout=timeout,
            **_host_key_options(connection.get("hostKey")),
        )
    if tunnel is None:
        for option, value in _KEEPALIVE.items():
            made.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, value)
    return made


def _explain(error: Exception, connection: Props) -> str:
    """Return the cause in the words of the official provider (Go's net and x/crypto/ssh)."""
    address = f"{connection['host']}:{connection['port']}"
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return "ssh: handshake failed: ssh: host key mismatch"
    if isinstance(error, asyncssh.PermissionDenied):
        return "ssh: handshake failed: ssh: unable to authenticate, no supported methods remain"
    if isinstance(error, asyncssh.ChannelOpenError):
        return f"ssh: rejected: {_REJECTIONS.get(error.code, error.code)} ({error.reason})"
    if isinstance(error, asyncssh.Error):
        return f"ssh: handshake failed: {error}"
    if isinstance(error, TimeoutError):
        return f"dial tcp {address}: i/o timeout"
    if isinstance(error, OSError) and error.errno in _SYSTEM_TEXTS:
        return f"dial tcp {address}: {_SYSTEM_TEXTS[error.errno]}"
    return f"dial tcp {address}: {error}"


def _of_handshake(error: Exception) -> bool:
    return isinstance(error, asyncssh.Error) and not isinstance(error, asyncssh.ChannelOpenError)


async def _dial(
    call: Call, connection: Props, what: str, tunnel: asyncssh.SSHClientConnection | None = None
) -> asyncssh.SSHClientConnection:
    """Connect, trying again as often as `dialErrorLimit` allows (-1: for ever), whatever the reason was."""
    limit, delay, failures = connection["dialErrorLimit"], _FIRST_DELAY, 0
    begun = False
    while True:
        try:
            if begun:
                raise _Ended
            return await _dial_once(connection, tunnel)
        except (asyncssh.Error, OSError, ValueError) as error:
            failures += 1
            reason = _explain(error, connection)
            # Through a proxy the official provider opens one channel, and begins every handshake in it again, although
            # the first that failed has closed it.
            if tunnel is not None and not begun and _of_handshake(error):
                begun, failures = True, 1
            if 0 <= limit < failures:
                raise Failed(f"after {failures - 1} failed attempts: {reason}") from error
        step = "Dial from proxy" if tunnel is not None and not begun else what
        await call.say(f"{step} {failures}/{'inf' if limit < 0 else limit} failed: retrying ({reason})")
        await asyncio.sleep(delay)
        delay = min(delay * _DELAY_GROWS, _LONGEST_DELAY)


@asynccontextmanager
async def connected(call: Call, connection: Props) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Hold a connection to the host, through the proxy if there is one; close it on leaving."""
    async with AsyncExitStack() as stack:
        if not connection.get("proxy"):
            made = await _dial(call, connection, "Dial")
        else:
            try:
                proxy = await _dial(call, connection["proxy"], "Dial proxy")
                await stack.enter_async_context(proxy)
                made = await _dial(call, connection, "Dial", proxy)
            except Failed as error:
                raise Failed(f"proxy: {error}") from error
        yield await stack.enter_async_context(made)
