"""Servers whose routes the proxy is late to take are not stopped."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.stacks.sites import ROOT
from tests.tools import jupyterhub_python

pytestmark = pytest.mark.programs


def test_route_is_added_when_the_proxy_is_back() -> None:
    command = [jupyterhub_python(), Path(__file__).with_name("late_proxy.py"), ROOT / "programs/hub"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "removed while away": "TimeoutError",
        "added while away": "201",
        "refused": "HTTPClientError",
        "refused, asked": 1,
    }
