"""``make bench-hub``: how many people the hub stands, and what is busy first.

Real are JupyterHub, its proxy, etcd, the API server, the scheduler, the controllers and the file server's provisioner,
with the site's own configuration. Simulated are nodes (kwok), user servers and people. Everything is in a network
namespace of its own and ends with the run.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lab.mirror.programs import ETCD, KUBERNETES
from ops.tables import console
from tests.bench.hub.cluster import NodeShape, simulated_cluster
from tests.bench.hub.inside import command, furnish
from tests.bench.hub.measure import Phase, Wanted, measure
from tests.bench.hub.plan import LARGEST, nodes_for
from tests.bench.hub.programs import KWOK, PROXY
from tests.bench.hub.report import as_json, failures, show
from tests.bench.hub.site import running_site
from tests.programs.hub.asking import site
from tests.tools import jupyterhub_python


def parser() -> argparse.ArgumentParser:
    """Return what the command understands."""
    found = argparse.ArgumentParser(prog="python -m tests.bench.hub", description=__doc__)
    found.add_argument("--people", type=int, default=200, help="who log in and start a server (default: 200)")
    found.add_argument("--within", type=float, default=120, help="seconds in which they come (default: 120)")
    found.add_argument("--running", type=int, default=1000, help="servers that then run (default: 1000)")
    found.add_argument("--steady", type=float, default=120, help="seconds in which all stay (default: 120)")
    found.add_argument("--patience", type=float, default=300, help="seconds after which no server is a failure")
    found.add_argument("--keep", type=Path, help="an empty directory for the logs of all programs")
    found.add_argument("--json", action="store_true", help="print data instead of tables")
    found.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return found


def main(arguments: list[str]) -> int:
    """Measure and print; return 1 if a person did not get what they came for."""
    options = parser().parse_args(arguments)
    if not 0 < options.people <= LARGEST or options.running > LARGEST:
        print(f"--people and --running: from 1 to {LARGEST}", file=sys.stderr)
        return 2
    if not options.inside:
        for artifact in (ETCD.artifact, KUBERNETES.artifact, KWOK.artifact, PROXY):
            artifact.make()
        jupyterhub_python()
        return subprocess.run(command([*arguments, "--inside"]), check=False).returncode
    with tempfile.TemporaryDirectory(prefix="bench-hub-") as directory:
        return _inside(options, options.keep.resolve() if options.keep else Path(directory))


def _inside(options: argparse.Namespace, directory: Path) -> int:
    load = os.getloadavg()
    wanted = Wanted(options.people, options.within, options.running, options.steady, options.patience)
    furnish(directory)
    shape = NodeShape()
    nodes = nodes_for(max(wanted.people, wanted.running), shape.pods)
    of = site(sizes="doubling", prePuller={"continuous": {"enabled": False}})  # simulated nodes hold no images
    (directory / "cluster").mkdir()
    with (
        simulated_cluster(directory / "cluster", nodes, shape) as plane,
        running_site(directory, of, plane) as found,
        _progress() as progress,
    ):
        shown = progress.add_task("starting", total=None)

        def tell(what: str, done: int, of: int) -> None:
            progress.update(shown, description=what, completed=done, total=of)

        phases: list[Phase] = asyncio.run(measure(found, wanted, tell))
    if options.json:
        print(as_json(wanted, phases, load))
    else:
        show(console(), phases, load)
    return 1 if failures(phases) else 0


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console(sys.stderr))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
