"""The program and its commands start with what the project's directory has; pytest finds more (`pythonpath`)."""

import os
import subprocess
import sys
from typing import Final

from tests.stacks.sites import ROOT

ALONE: Final = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
IMPORTING: Final = """
import importlib, pkgutil, sys
for package in map(importlib.import_module, sys.argv[1:]):
    found = [each.name for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    assert len(found) > 5, found
    for name in found:
        if not name.endswith("__main__"):
            importlib.import_module(name)
"""


def test_modules_need_nothing_that_lies_flat_in_the_hubs_pod() -> None:
    command = [sys.executable, "-c", IMPORTING, "stacks", "converge", "components", "ops"]
    done = subprocess.run(command, cwd=ROOT, env=ALONE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
