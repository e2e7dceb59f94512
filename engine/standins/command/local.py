"""`command:local:Command` and the function `command:local:run`."""

import asyncio
import fnmatch
import hashlib
import os
from pathlib import Path
from typing import ClassVar, Final

from engine.standins.command.running import Command, Output, environment, feed
from engine.standins.resources import Call
from engine.standins.values import ARCHIVE, ASSET, SIGNATURE, UNKNOWN, Props

_OPTIONAL_OUTPUTS: Final = {"assetPaths": "assets", "archivePaths": "archive"}


class LocalCommand(Command):
    """A command on the machine that runs the engine."""

    outputs: ClassVar = ("stdout", "stderr")

    async def preview_create(self, call: Call, news: Props) -> Props:
        asked = [output for given, output in _OPTIONAL_OUTPUTS.items() if news.get(given) is not None]
        return {**news, **dict.fromkeys([*self.outputs, *asked], UNKNOWN)}

    async def preview_update(self, call: Call, id: str, state: Props, news: Props) -> Props:
        return await self.preview_create(call, news)

    async def run(self, call: Call, script: str, news: Props, state: Props) -> Props:
        output = Output(call, news.get("logging"))
        directory = Path(news.get("dir") or Path.cwd())
        process = await asyncio.create_subprocess_exec(
            *(news.get("interpreter") or ["/bin/sh", "-c"]),
            script,
            cwd=directory,
            env={**os.environ, **environment(news, state)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            await asyncio.gather(
                feed(process.stdin, news.get("stdin")),
                output.collect(process.stdout, "stdout"),
                output.collect(process.stderr, "stderr"),
            )
            code = await process.wait()
        except asyncio.CancelledError:
            process.kill()
            raise
        if code:
            raise output.failure(f"exit status {code}" if code > 0 else f"signal: {-code}", script)
        return {**output.outputs(), **_collected(directory, news)}


def _collected(directory: Path, news: Props) -> Props:
    found: Props = {}
    if news.get("assetPaths") is not None:
        found["assets"] = _matching(directory, news["assetPaths"])
    if news.get("archivePaths") is not None:
        found["archive"] = {SIGNATURE: ARCHIVE, "assets": _matching(directory, news["archivePaths"])}
    return found


def _matching(directory: Path, patterns: list[str]) -> Props:
    """Return the files below `directory` that match, as assets; a pattern that begins with ! excludes files again."""
    found: Props = {}
    for path in sorted(each for each in directory.rglob("*") if each.is_file()):
        name = path.relative_to(directory).as_posix()
        matching = [pattern for pattern in patterns if fnmatch.fnmatchcase(name, pattern.removeprefix("!"))]
        if matching and not matching[-1].startswith("!"):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = {SIGNATURE: ASSET, "hash": digest, "path": str(path)}
    return found


async def run_locally(call: Call, arguments: Props) -> Props:
    """Run one command each time the program runs, previews included: the function `command:local:run`."""
    return {**arguments, **await LocalCommand().run(call, arguments["command"], arguments, {})}
