"""``make bench``: builds the dev stack from nothing, uses it, and prints how long it took, on which computer.

Cold means without a rack and with the mirror in the cache: what building the mirror takes is for the compilers, and
printed by the first `make up` of all. The rack stays.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ops.tables import console, table
from stacks.passphrase import PUBLISHED
from tests.acceptance.site import STACK, in_the_rack, lab_is_up, make, password, run
from tests.acceptance.visitor import SERVER_SECONDS, Visitor, visitor
from tests.bench import peer
from tests.bench.computer import computer
from tests.browser.session import open_notebook

ROUNDS: Final = 3
"""The median of as many is printed, where repeating makes sense."""

STARTS: Final = 20


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    seconds: float
    peer: str = ""
    peer_seconds: float | None = None

    @property
    def ratio(self) -> float | None:
        """Of ours to the peer's."""
        return self.seconds / self.peer_seconds if self.peer_seconds else None


def seconds(action: Callable[[], object]) -> float:
    """How long it takes, once."""
    started = time.monotonic()
    action()
    return time.monotonic() - started


def median(action: Callable[[], object]) -> float:
    """How long it takes."""
    return statistics.median(seconds(action) for _ in range(ROUNDS))


def measure() -> Iterator[Row]:
    """All rows, in the order in which a site would meet them."""
    yield Row("up, from nothing", seconds(lambda: make("up")))
    yield Row("up, unchanged", median(lambda: make("up")))
    with tempfile.TemporaryDirectory() as directory:
        texts = peer.scripts()
        bare = median(lambda: peer.run(texts, Path(directory)))
    drift = in_the_rack(sys.executable, "-m", "ops", "drift", "--stack", STACK)
    machines = median(lambda: run([*drift, "--no-kubernetes"]))
    yield Row("drift, the machines", machines, "parallel ssh, same checks", bare)
    yield Row("drift, machines and cluster", median(lambda: run(drift)))
    prod = ("STACK=prod", f"PULUMI_CONFIG_PASSPHRASE={PUBLISHED['prod']}")
    yield Row("preview of prod", median(lambda: make("preview", *prod)))
    yield Row("login → notebook, cold", _notebook("turing"))
    yield Row("login → notebook, warm", _notebook("turing"))
    yield Row(f"a server starts, warm, p95 of {STARTS}", _start_p95("turing"))


def _start_p95(user: str) -> float:
    """Return how long 95 of 100 starts take at most: what people wait whose image and home are there already."""
    taken = []
    with visitor() as person:
        assert person.log_in(user, password())
        for _ in range(STARTS):
            person.stop(user)
            taken.append(seconds(lambda: _start(person, user)))
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]


def _start(person: Visitor, user: str) -> None:
    assert person.call("POST", f"/users/{user}/server").status < 400
    # The stream that a browser reads: asking again and again would take the processors that the server starts on.
    told = person.ask(f"/hub/api/users/{user}/server/progress", "--max-time", str(SERVER_SECONDS))
    assert '"ready": true' in told.text


def _notebook(user: str) -> float:
    def use() -> None:
        with open_notebook(user, password()) as page:
            page.run("print(6 * 7)")
            page.expect_output("42")

    return seconds(use)


def main(arguments: list[str]) -> int:
    """Measure and print; return 1 if there is a rack already, because a person may be using it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print data instead of a table")
    options = parser.parse_args(arguments)
    if lab_is_up():
        print("bench builds the rack from nothing, and there is one: `make down` first", file=sys.stderr)
        return 1
    rows = []
    with redirect_stdout(sys.stderr):  # the commands' own words
        for row in measure():
            rows.append(row)
            print(f"{row.seconds:8.1f} s  {row.what}", flush=True)
    if options.json:
        print(json.dumps({"computer": computer(), "rows": [asdict(row) | {"ratio": row.ratio} for row in rows]}))
        return 0
    cells = [_cells(row) for row in rows]
    to = console()
    to.print(computer())
    to.print(table(("", "seconds", "peer", "seconds", "ratio"), cells))
    return 0


def _cells(row: Row) -> list[str]:
    beside = f"{row.peer_seconds:.1f}" if row.peer_seconds else ""
    return [row.what, f"{row.seconds:.1f}", row.peer, beside, f"{row.ratio:.2f}" if row.ratio else ""]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
