"""`make up`, cut short again and again: by Ctrl-C and by SIGKILL, while it builds, boots and brings the stack up.

`make drill` runs it, on a rack made from nothing. With an empty cache (`HENHOUSE_CACHE=$(mktemp -d) make drill`) the
builds are cut short too.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from engine.install import state_directory
from lab.cache import cache_root
from lab.host import absent_packages
from tests.acceptance.site import (
    ENVIRONMENT,
    STACK,
    drift,
    in_the_rack,
    lab_is_up,
    make,
    make_cut_short,
    password,
    run,
)
from tests.browser.session import open_notebook
from tests.tools import eventually

pytestmark = pytest.mark.drill

BUILDS: Final = (
    ("installing ", signal.SIGKILL),
    ("building user-mode Linux", signal.SIGINT),
    ("building kubernetes", signal.SIGKILL),
    ("building the image quay.io/jupyter/base-notebook", signal.SIGINT),
    ("filling the image registry", signal.SIGKILL),
)
"""Only with an empty cache, and the first only where the packages are not installed."""
RACK: Final = (
    ("hen: installing Debian", signal.SIGINT),
    ("hen: booting", signal.SIGKILL),
    ("bringing the stack", signal.SIGKILL),
    ("cluster: it does not hold -> it holds", signal.SIGKILL),
    ("pool nest: the pool nest is not imported", signal.SIGINT),
    ("hub-server creating", signal.SIGINT),
)
"""In the order in which they come."""


def lock_files() -> list[Path]:
    """Return the engine's lock files on the rack's stack."""
    return list(state_directory(STACK).glob(f".pulumi/locks/*/*/{STACK}/*.json"))


def test_it_ends_at_a_login_however_often_it_is_cut_short() -> None:
    if lab_is_up():
        pytest.fail("the drill builds the rack from nothing, and there is one: `make down` first")
    cold = not any(cache_root().glob("go-kubernetes-*"))
    for when, by in (*(BUILDS if cold else ()), *RACK):
        if when == "installing " and not absent_packages():
            continue
        assert make_cut_short("up", when=when, by=by) != 0
    built = make("up")
    assert "https://hub.henhouse.localhost:8443" in built.stdout
    with open_notebook("ada", password(), outside=True) as page:
        page.run("print(6 * 7)")
        page.expect_output("42")
    assert not any(drift().values())


def test_drift_is_looked_for_while_an_up_runs() -> None:
    """The same holds after an `up` that was killed and left its lock behind."""
    looking = in_the_rack(sys.executable, "-m", "ops", "drift", "--stack", STACK)
    update = subprocess.Popen(["make", "--no-print-directory", "up"], stdout=subprocess.PIPE, text=True)
    assert update.stdout is not None
    for line in update.stdout:
        if line.startswith("Updating"):
            break
    seen = run(looking, check=False)
    update.communicate()
    assert update.returncode == 0
    assert "is running (pulumi, process" in seen.stderr
    assert seen.returncode == 0, seen.stdout


def test_lock_of_a_killed_engine_stops_nothing() -> None:
    command = in_the_rack("pulumi", "--non-interactive", "up", "--stack", STACK, "--yes", "--skip-preview")
    held = subprocess.Popen(command, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.DEVNULL)
    eventually("the update's lock", lambda: lock_files() or held.poll() is not None, seconds=60)
    assert held.poll() is None, "the update ended before it was killed"
    held.kill()
    held.wait()
    assert lock_files()
    seen = run(in_the_rack(sys.executable, "-m", "ops", "drift", "--stack", STACK), check=False)
    assert "was killed and left its lock" in seen.stderr
    assert seen.returncode == 0, seen.stdout
    repaired = make("repair")
    assert "removed the lock of an update that was killed" in repaired.stderr
    assert not lock_files()
