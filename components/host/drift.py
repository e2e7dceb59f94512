"""Makes the differences that a probe finds on the machines into differences of the plan.

With `HENHOUSE_PROBE=1` the program looks at the machines before it registers anything (`components.host.probe`), and
every role that differs gets a token. Without it no machine is asked and no token given.
"""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

import pulumi

from components.host.probe import Applied, Difference, ProbeError, Seen, applied, export, look

VARIABLE: Final = "HENHOUSE_PROBE"


def token(command: str) -> str | None:
    """The token of a role's command, by its logical name; None for one that is as it should be or was not looked
    at."""
    return _tokens(asked()).get(command)


def asked() -> bool:
    """Whether the environment asks for a probe. RunError for a value that is neither yes nor no."""
    value = os.environ.get(VARIABLE, "")
    if value not in {"", "0", "1"}:
        raise pulumi.RunError(f"{VARIABLE}={value}: give 1 to look at the machines first, 0 or nothing not to")
    return value == "1"


@cache
def _tokens(probe: bool) -> Mapping[str, str]:
    if not probe:
        return {}
    try:
        roles = list(applied(export(pulumi.get_stack())))
    except ProbeError as error:
        raise pulumi.RunError(f"{VARIABLE}=1: {error}") from None
    # The program runs inside an event loop, which cannot run another.
    with ThreadPoolExecutor(1) as thread:
        seen = thread.submit(asyncio.run, look(roles)).result()
    _tell(seen)
    return tokens(seen)


def tokens(seen: Seen) -> dict[str, str]:
    """One token a role that differs. It also stands for the token before it: the same difference seen again, after a
    repair, is a new one."""
    differing = {role.command: (role, seen.of(role)) for role in seen.applied}
    return {command: _digest(role, found) for command, (role, found) in differing.items() if found}


def _digest(role: Applied, found: list[Difference]) -> str:
    return hashlib.sha256("\n".join([role.probe, *map(repr, found)]).encode()).hexdigest()[:12]


def _tell(seen: Seen) -> None:
    for each in seen.differences:
        pulumi.log.info(f"{each.machine}: {each.role}: {each.item}: expected {each.expected}; found {each.found}")
    for missed in seen.unseen:
        pulumi.log.warn(f"{missed.machine}: {missed.role}: not looked at: {missed.reason}")
