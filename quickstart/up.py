"""All stages of `make up`, in order, from an empty computer to a login page that answers."""

import fcntl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.install import engine_artifacts, ensure_engine
from lab import lifecycle, progress
from lab.estimate import Estimate, about
from lab.host import check_root
from lab.network import require_way_out
from lab.rack import Rack, RackError, load_rack
from quickstart import stack, welcome

STACK_FROM_NOTHING: Final = "stack-from-nothing"
STACK_AGAIN: Final = "stack-again"
LOGIN_PAGE: Final = "login-page"


def up(name: str, weights_file: str | None) -> int:
    """Bring the stack `name` up on the rack of the same name; return an exit status.

    Everything may be there already, in part or whole: only what is missing is done. RackError when the rack or the
    engine cannot be made ready.
    """
    # First of all: a lock file that an ordinary user has made would keep root out (sysctl fs.protected_regular).
    check_root()
    rack = load_rack(name)
    require_way_out("`make up`")
    with _alone(rack):
        bringing_up = STACK_AGAIN if stack.complete(rack) else STACK_FROM_NOTHING
        engine = engine_artifacts()
        planned = (*lifecycle.stages(rack, and_then=engine), bringing_up, LOGIN_PAGE)
        with progress.plan(planned) as estimate:
            if len(planned) > 2:
                left = about(estimate.left(time.monotonic()))
                progress.say(f"{len(planned)} stages, {left} if nothing else keeps two processors busy")
            with lifecycle.only_one(rack):
                lifecycle.up(rack, and_then=engine)
            return _on_the_rack(rack, bringing_up, estimate, weights_file)


def _on_the_rack(rack: Rack, bringing_up: str, estimate: Estimate, weights_file: str | None) -> int:
    environment = ensure_engine(rack.name).env
    if status := stack.bring_up(rack, environment, bringing_up):
        return status
    outputs = stack.outputs(rack, environment)
    with progress.step("waiting for the login page", LOGIN_PAGE):
        welcome.wait_for_login_page(rack, outputs)
    if weights_file:
        Path(weights_file).write_text(table(estimate.shares))
    welcome.show(rack, outputs)
    return 0


def table(shares: Mapping[str, float]) -> str:
    """Return the seconds of each stage as text, in the form of lab/weights.toml.

    Machines of one kind share a row, which holds the slowest one's seconds.
    """
    rows: dict[str, float] = {}
    for stage, seconds in shares.items():
        key = stage.partition(":")[0]
        rows[key] = max(rows.get(key, 0.0), round(seconds, 1))
    return "[seconds]\n" + "".join(f"{key} = {seconds}\n" for key, seconds in rows.items())


@contextmanager
def _alone(rack: Rack) -> Iterator[None]:
    """Keep out a second `make up` for the same rack; RackError at once when there is one."""
    with open(f"/run/lock/{rack.namespace}.up.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RackError("another `make up` is at work on this computer; wait for it to finish") from error
        yield
