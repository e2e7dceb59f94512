"""The `pulumi` command line, for what day-2 commands ask of a stack."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What a command printed, and how it ended."""

    status: int
    out: str
    errors: str


async def pulumi(*arguments: str, seconds: float) -> Answer:
    """Run `pulumi --non-interactive` with these arguments; TimeoutError, and no process, when it takes longer."""
    process = await asyncio.create_subprocess_exec(
        "pulumi",
        "--non-interactive",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.terminate()
        await process.wait()
        raise
    return Answer(process.returncode or 0, out.decode(errors="replace"), errors.decode(errors="replace"))


def of(stack: str | None) -> Sequence[str]:
    """Return the option that names the stack; nothing for the selected one."""
    return ["--stack", stack] if stack else []
