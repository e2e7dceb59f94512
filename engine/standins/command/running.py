"""What commands here and elsewhere have in common: their life, their output, and how they fail."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar, Final, Protocol

from engine.standins.resources import Call, Failed, Resource, suffix
from engine.standins.values import Props

_SHOWN: Final = {"none": (), "stdout": ("stdout",), "stderr": ("stderr",)}
_CHUNK: Final = 65536


class Reader(Protocol):
    """A stream of bytes."""

    async def read(self, n: int = ...) -> bytes:
        """Return some bytes, or none at the end."""
        ...


class Writer(Protocol):
    """Where a command's standard input is written."""

    def write(self, data: bytes) -> None: ...
    async def drain(self) -> None: ...
    def write_eof(self) -> None: ...


class Output:
    """Collects what a command prints, and shows it as the command's `logging` asks."""

    def __init__(self, call: Call, logging: str | None) -> None:
        self._call = call
        self._shown = _SHOWN.get(logging or "", ("stdout", "stderr"))
        self._streams = {"stdout": bytearray(), "stderr": bytearray()}
        self._both = bytearray()

    async def collect(self, reader: Reader, name: str) -> None:
        """Read one stream to its end; whole lines are shown as they come."""
        rest = b""
        while chunk := await reader.read(_CHUNK):
            self._streams[name] += chunk
            self._both += chunk
            if name in self._shown:
                lines, newline, rest = (rest + chunk).rpartition(b"\n")
                if newline:
                    await self._call.say(_text(lines))
        if rest and name in self._shown:
            await self._call.say(_text(rest))

    def outputs(self) -> Props:
        """Return the two outputs, each without one newline at its end, as in the official provider."""
        return {name: _text(raw).removesuffix("\n") for name, raw in self._streams.items()}

    def failure(self, reason: str, script: str) -> Failed:
        """Return the error of a command that did not exit with 0."""
        return Failed(f'{reason}: running "{script}":\n{_text(self._both)}')


def _text(raw: bytes | bytearray) -> str:
    return raw.decode(errors="replace")


async def feed(writer: Writer, text: str | None) -> None:
    """Give a command its standard input; one that does not read it is not an error."""
    try:
        if text:
            writer.write(text.encode())
            await writer.drain()
        writer.write_eof()
    except (BrokenPipeError, ConnectionResetError):
        pass


def environment(news: Props, state: Props) -> dict[str, str]:
    """Return the variables that a command gets, its previous output among them unless that is declined."""
    wanted = {name: str(value) for name, value in (news.get("environment") or {}).items()}
    return {**wanted, **_previous(news, state)}


def _previous(news: Props, state: Mapping[str, str]) -> dict[str, str]:
    if news.get("addPreviousOutputInEnv") is False:
        return {}
    named = {"PULUMI_COMMAND_STDOUT": state.get("stdout"), "PULUMI_COMMAND_STDERR": state.get("stderr")}
    return {name: value for name, value in named.items() if value}


class Command(Resource):
    """`create`, `update` and `delete` are scripts; a changed trigger makes a new resource."""

    replace_on: ClassVar = frozenset({"triggers"})
    outputs: ClassVar = ("stdout", "stderr")

    async def run(self, call: Call, script: str, news: Props, state: Props) -> Props:
        """Run one script and return its outputs."""
        raise NotImplementedError

    async def _run_in_time(self, call: Call, script: str, news: Props, state: Props) -> Props:
        try:
            async with asyncio.timeout(call.timeout or None):
                return await self.run(call, script, news, state)
        except TimeoutError as error:
            raise Failed(f"the command did not finish in the {call.timeout:g} s of its custom_timeouts") from error

    async def create(self, call: Call, news: Props) -> tuple[str, Props]:
        script = news.get("create")
        done = {"stdout": "", "stderr": ""} if script is None else await self._run_in_time(call, script, news, {})
        return call.name + suffix(), {**news, **done}

    async def update(self, call: Call, id: str, state: Props, news: Props) -> Props:
        script = news.get("create") if news.get("update") is None else news["update"]
        before = {name: state.get(name, "") for name in ("stdout", "stderr")}
        done = {} if script is None else await self._run_in_time(call, script, news, state)
        return {**news, **before, **done}

    async def delete(self, call: Call, id: str, state: Props) -> None:
        if state.get("delete") is not None:
            await self._run_in_time(call, state["delete"], state, state)
