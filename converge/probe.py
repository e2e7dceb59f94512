"""Looks at the machines: runs the `check` of every role in a stack's state, and changes nothing.

The state alone says what to look at: each role's command holds its script, its secrets and its connection. All machines
are probed in parallel, each over one connection, and over one to the jump if they have one in common.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import asyncssh

from converge.connection import JumpError, Jumps, reason, where
from converge.render import CHECK
from converge.report import Difference, NotChecked
from converge.state import AppliedRole

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
    async with Jumps() as jumps:
        looked = await asyncio.gather(*(_machine(jumps, of_one) for of_one in machines))
    found = [each for answers in looked for each in answers]
    return ProbeResult(
        tuple(ordered),
        tuple(each for each in found if isinstance(each, Difference)),
        tuple(each for each in found if isinstance(each, NotChecked)),
    )


async def _machine(jumps: Jumps, roles: list[AppliedRole]) -> list[Difference | NotChecked]:
    connection = roles[0].connection
    try:
        async with await jumps.connect(connection) as session:
            answers = [each for role in roles for each in await _role(session, role)]
    except (JumpError, OSError, asyncssh.Error, asyncssh.KeyImportError, TimeoutError) as error:
        why = str(error) if isinstance(error, JumpError) else f"{where(connection)}: {reason(error)}"
        return [NotChecked(role.machine, role.role, why) for role in roles]
    return answers


async def _role(session: asyncssh.SSHClientConnection, role: AppliedRole) -> list[Difference | NotChecked]:
    try:
        # asyncssh closes the input of a command only when it has been given one.
        given: dict[str, Any] = {"input": role.stdin} if role.stdin else {"stdin": asyncssh.DEVNULL}
        done = await session.run(CHECK + role.script, timeout=CHECK_SECONDS, errors="replace", **given)
    except asyncssh.ChannelOpenError as error:
        return [NotChecked(role.machine, role.role, reason(error))]
    except asyncssh.TimeoutError:
        return [NotChecked(role.machine, role.role, f"its check did not end within {CHECK_SECONDS} s")]
    if done.exit_status != 0:
        return [
            NotChecked(role.machine, role.role, str(done.stderr).strip() or f"its check ended with {done.exit_status}")
        ]
    printed = str(done.stdout)
    return [
        *(
            Difference(role.machine, role.role, each["item"], each["expected"], each["found"], role.urn)
            for each in answers(printed, {"item", "expected", "found"})
        ),
        *changed_facts(role, {each["fact"]: each["digest"] for each in answers(printed, {"fact", "digest"})}),
    ]


def answers(printed: str, keys: Set[str]) -> Iterator[Mapping[str, str]]:
    """Yield the objects with these keys in what a check printed.

    Other lines are the machine's own greeting (`.bashrc`).
    """
    for line in printed.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.keys() == keys:
            yield found


def changed_facts(role: AppliedRole, digests: Mapping[str, str]) -> Iterator[Difference]:
    """Yield the facts that a machine tells otherwise than the stack holds them, without their values.

    `digests` has SHA-256 of what the machine would tell now, by the fact's name, and nothing where it could not.
    """
    for name, digest in digests.items():
        held = role.facts.get(name)
        if held is None or hashlib.sha256(held.encode()).hexdigest() != digest:
            found = "another than the stack holds" if digest else "the machine cannot tell it"
            expected = "none yet" if held is None else "the one that the stack holds"
            yield Difference(role.machine, role.role, name, expected, found, role.urn)
