"""Makes the differences that a probe finds on the machines into differences of the plan.

With `HENHOUSE_PROBE=1` the program looks at the machines before it registers anything, and every role that has drifted
gets a token, an input that has changed. Without it the program reads no machine and passes no token.
"""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pulumi

from converge.probe import ProbeResult, probe
from converge.report import Difference
from converge.stack import StackClient, StateError
from converge.state import AppliedRole, applied_roles

VARIABLE: Final = "HENHOUSE_PROBE"

Findings = Mapping[str, str]
"""One token per drifted role, by the logical name of the role's command."""


def probe_if_requested() -> Findings:
    """Look at the machines of the stack if the environment asks for it; without findings otherwise.

    RunError when the variable is neither yes nor no, or the state cannot be read.
    """
    if not requested():
        return {}
    try:
        roles = list(applied_roles(StackClient(pulumi.get_stack()).export()))
    except StateError as error:
        raise pulumi.RunError(f"{VARIABLE}=1: {error}") from None
    # The program runs inside an event loop, which cannot run another.
    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(asyncio.run, probe(roles)).result()
    _log(result)
    return tokens(result)


def requested() -> bool:
    """Whether the environment asks for a probe."""
    value = os.environ.get(VARIABLE, "")
    if value not in {"", "0", "1"}:
        raise pulumi.RunError(f"{VARIABLE}={value}: give 1 to look at the machines first, 0 or nothing not to")
    return value == "1"


def tokens(result: ProbeResult) -> dict[str, str]:
    """One token per drifted role.

    It hashes the previous token too, so a difference that returns after a repair triggers a new update.
    """
    differing = {role.command: (role, result.of(role)) for role in result.roles}
    return {command: _digest(role, found) for command, (role, found) in differing.items() if found}


def _digest(role: AppliedRole, found: list[Difference]) -> str:
    return hashlib.sha256("\n".join([role.probe, *map(repr, found)]).encode()).hexdigest()[:12]


def _log(result: ProbeResult) -> None:
    for each in result.differences:
        pulumi.log.info(f"{each.machine}: {each.role}: {each.item}: expected {each.expected}; found {each.found}")
    for missed in result.not_checked:
        pulumi.log.warn(f"{missed.machine}: {missed.role}: not checked: {missed.reason}")
