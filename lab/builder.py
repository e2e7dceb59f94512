"""Makes many artifacts, several at a time: downloads and linkers leave processors idle that a compiler can use."""

import queue
import threading
from collections.abc import Iterable, Mapping
from typing import Final

from lab.cache import Artifact, missing
from lab.estimate import UNKNOWN_SECONDS, weights

AT_ONCE: Final = 3
"""How many are made side by side. A Go build of Kubernetes' size takes up to 3 GiB of memory."""

Outcome = tuple[Artifact, BaseException | None]


def make_all(goals: Iterable[Artifact]) -> None:
    """Make the goals and all that they need; what the longest chain of work waits for comes first.

    The first failure is raised at once. The threads are daemons, and the programs that they run end with this one: what
    was cut short is begun again the next time.
    """
    waiting = list(missing(goals))
    urgency = chains(waiting, weights())
    waiting.sort(key=lambda artifact: -urgency[artifact.directory_name])
    unfinished = {artifact.directory_name for artifact in waiting}
    outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    running = 0
    while unfinished:
        for artifact in [each for each in waiting if not any(need.directory_name in unfinished for need in each.needs)]:
            if running == AT_ONCE:
                break
            waiting.remove(artifact)
            threading.Thread(target=_make, args=(artifact, outcomes), daemon=True).start()
            running += 1
        made, error = outcomes.get()
        if error is not None:
            raise error
        running -= 1
        unfinished.remove(made.directory_name)


def chains(artifacts: Iterable[Artifact], seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds of the longest chain of builds that begins with each artifact, by directory name; needs come first."""
    found: dict[str, float] = {}
    for artifact in reversed(list(artifacts)):
        own = seconds.get(artifact.name, UNKNOWN_SECONDS)
        found[artifact.directory_name] = own + found.get(artifact.directory_name, 0.0)
        for need in artifact.needs:
            found[need.directory_name] = max(found.get(need.directory_name, 0.0), found[artifact.directory_name])
    return found


def _make(artifact: Artifact, outcomes: "queue.SimpleQueue[Outcome]") -> None:
    try:
        artifact.make()
    except BaseException as error:  # handed to the waiting thread
        outcomes.put((artifact, error))
    else:
        outcomes.put((artifact, None))
