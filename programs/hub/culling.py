"""When a server is stopped by itself, and what its owner reads afterwards; shipped to the hub.

The hub reads the notes, and the culler, a process of its own, writes them: a file for each person.
"""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from keeping import write_whole

NOTES = "stopped-servers"
"""The directory of the notes, beside the hub's database."""
TELLING = timedelta(minutes=11)
"""After how long every server in use has told the hub so: twice Jupyter's five minutes, which it varies by a tenth
(jupyterhub/singleuser/extension.py, `hub_activity_interval`)."""
STEP_SECONDS = 30
"""By how much two clocks may come apart between two looks before one of them was set."""
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


@dataclass(frozen=True)
class Limits:
    """How long a server may run, in seconds."""

    timeout: int
    """Without being used."""
    max_age: int
    """In all; 0 for no limit."""

    def exceeded(self, inactive: timedelta, age: timedelta) -> str | None:
        """Return why a server is to be stopped, or None where it may keep running."""
        if inactive.total_seconds() >= self.timeout:
            return f"it was not used for {spoken(self.timeout)}"
        if self.max_age and age.total_seconds() >= self.max_age:
            return f"it ran for {spoken(self.max_age)}, which is as long as a server may run here"
        return None


class Hearing:
    """Since when servers could tell the hub of their use without a gap: the hub was there, and no clock was set."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._apart = 0.0

    def confirm(self, now: datetime, steady: float) -> None:
        """Note that the hub answers now; `steady` is the seconds of a clock that no one sets."""
        apart = now.timestamp() - steady
        if self._since is None or abs(apart - self._apart) > STEP_SECONDS:
            self._since = now
        self._apart = apart

    def lose(self) -> None:
        """Note that the hub does not answer."""
        self._since = None

    def unused(self, last: datetime, now: datetime) -> timedelta:
        """Return for how long a server was not used, as far as the hub can know; `last` is when it said that it was.

        After a gap a server may have been used until then, and has yet to say so.
        """
        heard = now - (self._since or now)
        return now - last if heard >= TELLING else min(now - last, heard)


class Silence:
    """Which servers gave no answer when they were asked whether they compute."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], str | None] = {}
        """When each was last used, as the hub said it then."""

    def excuses(self, server: tuple[str, str], used: str | None, *, answered: bool) -> bool:
        """Note how a server, known by its person and its name, answered; return whether its silence is forgiven.

        It is forgiven once: the second time, and until the server is used again, it counts as idle.
        """
        if answered:
            self._used.pop(server, None)
            return False
        known = server in self._used and self._used[server] == used
        self._used[server] = used
        return not known


def limits_for(cull: Mapping[str, Any], groups: Collection[str]) -> Limits:
    """Return the limits of a person in these groups: the longest of the entries that name one, or else everyone's."""
    entries = [each for each in cull["groups"] if set(each["groups"]) & set(groups)] or [cull]
    ages = [each["max_age"] for each in entries]
    return Limits(max(each["timeout"] for each in entries), 0 if 0 in ages else max(ages))


def shortest(cull: Mapping[str, Any]) -> Limits:
    """Return the lowest of all limits: within them, groups do not matter."""
    entries = [cull, *cull["groups"]]
    ages = [each["max_age"] for each in entries if each["max_age"]]
    return Limits(min(each["timeout"] for each in entries), min(ages, default=0))


def spoken(seconds: int) -> str:
    """Return a time in the largest unit that it is a whole number of."""
    unit, size = next(each for each in _UNITS if seconds % each[1] == 0)
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


class Notes:
    """Why people's last servers were stopped, until they start one again."""

    def __init__(self, directory: str) -> None:
        """Keep them below this directory, the hub's own."""
        self._directory = Path(directory) / NOTES

    def write(self, name: str, why: str) -> None:
        """Note why a person's server is stopped now. It is stopped also where the disk takes no note."""
        with suppress(OSError, ValueError):
            self._directory.mkdir(exist_ok=True)
            write_whole(self._of(name), {"when": datetime.now(UTC).timestamp(), "why": why})

    def read(self, name: str) -> str | None:
        """Return the sentence for a person's page; None where their server was not stopped by itself."""
        try:
            note = json.loads(self._of(name).read_text())
            when = datetime.fromtimestamp(note["when"], UTC)
            return f"Your server was stopped on {when:%d %B %Y at %H:%M} UTC, because {note['why']}."
        except (OSError, ArithmeticError, ValueError, KeyError, TypeError):
            return None

    def forget(self, name: str) -> None:
        """Remove it: the person starts a server."""
        with suppress(OSError, ValueError):
            self._of(name).unlink(missing_ok=True)

    def _of(self, name: str) -> Path:
        """Return the file of a person; raise ValueError for a name that leads elsewhere, as old databases may have."""
        if Path(name).name != name:
            raise ValueError(f"{name!r} is not the name of a file")
        return self._directory / name
