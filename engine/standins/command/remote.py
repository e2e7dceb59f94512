"""`command:remote:Command` and `command:remote:CopyToRemote`."""

import asyncio
import posixpath
from pathlib import Path
from typing import Any, ClassVar, Final

from engine.standins.command.running import Command, Output, environment, feed
from engine.standins.resources import Call, Failed, Invalid, Resource, suffix, to_its_end
from engine.standins.values import ARCHIVE, ASSET, SIGNATURE, UNKNOWN, Props, Secret, without_nulls

_HIDDEN: Final = ("password", "privateKey", "privateKeyPassword")
"""Parts of a connection that are secret by nature: secrets inside `connection`, which is one as a whole."""
_DEFAULTS: Final[Props] = {"user": "root", "port": 22, "dialErrorLimit": 10, "perDialTimeout": 15}


def _completed(connection: Any) -> Any:
    """Return the connection with its defaults, and its proxy's, as the inputs are recorded."""
    if not isinstance(connection, dict):
        return connection
    full = {**_DEFAULTS, **without_nulls(connection)}
    return {**full, "proxy": _completed(full["proxy"])} if "proxy" in full else full


def _with_connection(news: Props) -> Props:
    if news.get("connection") is None:
        raise Invalid(("connection", "missing required property"))
    return {**news, "connection": _completed(news["connection"])}


def _nested(connection: Any) -> Any:
    """Return the connection with its secret parts marked, and its proxy's."""
    if not isinstance(connection, dict):
        return connection
    hidden = {key: Secret(connection[key]) for key in _HIDDEN if connection.get(key) is not None}
    return {**connection, **hidden, **({"proxy": _nested(connection["proxy"])} if "proxy" in connection else {})}


class OverSsh(Resource):
    """What has a connection."""

    def sealed(self, values: Props, inputs: Props) -> Props:
        return {**values, "connection": Secret(_nested(values.get("connection")))}


class RemoteCommand(OverSsh, Command):
    """A command on another machine. Each operation has a connection of its own, closed at its end.

    An update that is interrupted waits for the command, as with the official plugin: it does not end half-way.
    """

    async def check(self, call: Call, olds: Props, news: Props) -> Props:
        return _with_connection(news)

    async def run(self, call: Call, script: str, news: Props, state: Props) -> Props:
        from engine.standins.command import ssh  # asyncssh takes half a second; only a real run needs it

        output = Output(call, news.get("logging"))
        async with ssh.connected(call, news["connection"]) as connection:
            await _refuse_lost_variables(connection, news.get("environment") or {})
            process = await connection.create_process(script, encoding=None, env=environment(news, state))
            try:
                with to_its_end():  # the engine's Cancel does not reach what runs over there
                    await asyncio.gather(
                        feed(process.stdin, news.get("stdin")),
                        output.collect(process.stdout, "stdout"),
                        output.collect(process.stderr, "stderr"),
                    )
                    await process.wait_closed()
            except asyncio.CancelledError:
                process.terminate()
                connection.abort()
                raise
        if process.exit_signal:
            raise output.failure(f"Process exited with signal {process.exit_signal[0]}", script)
        if process.exit_status is None:
            raise output.failure("wait: remote command exited without exit status or exit signal", script)
        if process.exit_status:
            raise output.failure(f"Process exited with status {process.exit_status}", script)
        return output.outputs()


async def _refuse_lost_variables(connection: Any, wanted: Props) -> None:
    """Fail as the official provider does when the server drops a variable, of which asyncssh does not hear."""
    if not wanted:
        return
    answer = await connection.run("env", env={name: str(value) for name, value in wanted.items()})
    received = {line.partition("=")[0] for line in answer.stdout.splitlines()}
    for name in wanted:
        if name not in received:
            raise Failed(
                f'could not set environment variable "{name}": ssh: setenv failed. This often happens because the '
                f"remote SSH server's AcceptEnv configuration does not include it; set AcceptEnv {name} in sshd_config "
                "or pass the variable in the command itself"
            )


class CopyToRemote(OverSsh):
    """A file, text, or a directory copied over SFTP; copied again when its hash or the remote path changes."""

    replace_on: ClassVar = frozenset({"triggers"})

    async def check(self, call: Call, olds: Props, news: Props) -> Props:
        source = news.get("source")
        is_asset = isinstance(source, dict) and source.get(SIGNATURE) in (ASSET, ARCHIVE)
        if source is not UNKNOWN and not is_asset:
            raise Invalid(("source", "either an asset or an archive must be given"))
        return _with_connection(news)

    async def create(self, call: Call, news: Props) -> tuple[str, Props]:
        await self._copy(call, news)
        return call.name + suffix(), news

    async def update(self, call: Call, id: str, state: Props, news: Props) -> Props:
        same_path = state.get("remotePath") == news["remotePath"]
        if not same_path or state["source"].get("hash") != news["source"].get("hash"):
            await self._copy(call, news)
        return news

    @staticmethod
    async def _copy(call: Call, news: Props) -> None:
        from engine.standins.command import ssh

        async with ssh.connected(call, news["connection"]) as connection, connection.start_sftp_client() as files:
            await _put(files, news["source"], news["remotePath"])


async def _put(files: Any, source: Props, target: str) -> None:
    if "text" in source:
        if await files.isdir(target):
            raise Failed(f"remote path {target} is a directory; a text asset needs the path of a file")
        await files.makedirs(posixpath.dirname(target) or ".", exist_ok=True)
        async with files.open(target, "wb") as remote:
            await remote.write(source["text"].encode())
        return
    if "path" not in source:
        raise Failed("the source must be a local path or a text")
    path = Path(source["path"])
    if not path.is_dir():
        await files.put(path, target)
        return
    # As in the official provider: "dir/" stands for what is inside it, "dir" for the directory itself.
    if not source["path"].endswith("/") and await files.exists(target):
        target = posixpath.join(target, path.name)
    await files.makedirs(target, exist_ok=True)
    for entry in sorted(path.iterdir()):
        await files.put(entry, posixpath.join(target, entry.name), recurse=True)
