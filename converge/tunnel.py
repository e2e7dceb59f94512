"""The tunnel to what is behind the jump: a SOCKS proxy (RFC 1928) on a loopback port of this computer, like `ssh -D`.

The kubeconfig of a site with a jump names it, so whoever runs `pulumi` or `kubectl` needs it open. One process opens
it; others of the same site use it meanwhile.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import asyncssh

from components.contracts.machines import SshTarget
from converge.connection import Connection, JumpError, connect_to_jump
from stacks.settings import Site

LOOPBACK: Final = "127.0.0.1"
_AGAIN_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.2


class TunnelError(Exception):
    """The tunnel cannot be opened; the message says why."""


@dataclass(frozen=True)
class Way:
    """A jump, and the port on which the tunnel through it is open."""

    jump: SshTarget
    port: int


def way(site: Site) -> Way | None:
    """Return the way to what is behind the site's jump, None for a site without one."""
    return Way(SshTarget.of_jump(site.jump, site.access), site.jump.tunnel_port) if site.jump else None


@asynccontextmanager
async def opened(jump: SshTarget, port: int, *, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Hold the tunnel open, or use the one that another process holds, and take it over when that one ends.

    TunnelError or JumpError when there is none to be had at the beginning. A connection to the jump that is lost later
    is made again, for as long as the block runs; `say` tells people of it.
    """
    ready = asyncio.get_running_loop().create_future()
    holding = asyncio.create_task(_hold(jump, port, ready, say))
    try:
        await asyncio.wait([ready, holding], return_when=asyncio.FIRST_COMPLETED)
        if holding.done():
            holding.result()
        yield
    finally:
        holding.cancel()
        with suppress(asyncio.CancelledError, JumpError, TunnelError):
            await holding


async def _hold(jump: SshTarget, port: int, ready: "asyncio.Future[None]", say: Callable[[str], None]) -> None:
    with open(_record(port), "a+") as record:
        while not _locked(record):
            _same(record, jump, port)
            if not ready.done() and await _answers(port):
                ready.set_result(None)
            await asyncio.sleep(_LOOK_SECONDS)
        record.truncate(0)
        record.write(_identity(jump))
        record.flush()
        while True:
            try:
                connection = await _listen(jump, port)
            except (JumpError, TunnelError) as error:
                if not ready.done():
                    raise
                say(f"{error}; trying again")
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            if ready.done():
                say(f"the tunnel through {jump.name} is open again")
            else:
                ready.set_result(None)
            try:
                await connection.wait_closed()
            finally:
                connection.abort()
            say(f"the connection to the jump {jump.name} was lost")


def _same(record: IO[str], jump: SshTarget, port: int) -> None:
    """Raise TunnelError when the process that holds the port's record holds it for another site."""
    record.seek(0)
    holder = record.read()
    if holder and holder != _identity(jump):
        raise TunnelError(
            f"port {port} of {LOOPBACK} is the tunnel of another site, through {holder.split()[0]}: end that one, or "
            "give one of the two sites another access.jump.tunnel_port"
        )


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


async def _listen(jump: SshTarget, port: int) -> asyncssh.SSHClientConnection:
    connection = await connect_to_jump(inputs(jump))
    try:
        await connection.forward_socks(LOOPBACK, port)
    except OSError as error:
        connection.abort()
        raise TunnelError(
            f"port {port} of {LOOPBACK} is taken by another program: an `ssh -D {port}` of your own serves as well, "
            "and needs no tunnel of ours; for anything else set access.jump.tunnel_port"
        ) from error
    return connection


def inputs(target: SshTarget) -> Connection:
    """Return what a command's connection to this target has in a state."""
    key = target.private_key
    found: dict[str, Any] = {
        "host": target.host,
        "port": target.port,
        "user": target.user,
        "hostKey": target.host_key,
    }
    return found | ({"privateKey": key.get_secret_value()} if key else {})


def _identity(jump: SshTarget) -> str:
    return f"{jump.user}@{jump.host}:{jump.port} {jump.host_key}\n"


def _record(port: int) -> Path:
    """Return the file that says whose tunnel a port is; the process that holds it has it locked."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    directory = Path(base) / "henhouse-tunnels"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory / str(port)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
