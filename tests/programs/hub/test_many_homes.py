"""A room full of people asks for homes at once."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.stacks.sites import ROOT
from tests.tools import jupyterhub_python

pytestmark = pytest.mark.programs


def test_all_are_answered_and_only_some_at_a_time() -> None:
    command = [str(jupyterhub_python()), str(Path(__file__).with_name("many_homes.py")), f"{ROOT}/programs/hub", "100"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["answered"], found["again"]) == (100, 0)
    assert found["most"] == found["may"] < 64
    assert found["in_line"] == 100 - found["may"], "who waits for a turn is told so"
