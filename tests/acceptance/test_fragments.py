"""A site writes a fragment that would end its hub. A part of `make chaos`."""

import tempfile
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.site import edited, kubectl, make
from tests.acceptance.visitor import visitor
from tests.stacks.sites import ROOT
from tests.tools import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("site_is_up")]

HUB: Final = "app.kubernetes.io/component=hub"
NAME: Final = "80-own.py"
GOOD: Final = 'from henhouse_hub import c\n\nc.JupyterHub.template_vars["own"] = "first"\n'
# Nothing that reads it can know what it will do.
WRONG: Final = 'from pathlib import Path\n\nPath("/not-there").read_text()\n'


def test_fragment_that_fails_ends_the_update_and_no_hub() -> None:
    with tempfile.TemporaryDirectory(prefix="fragments-", dir=ROOT) as folder:
        fragment = Path(folder, NAME)
        fragment.write_text(GOOD)
        with edited({"hub": {"fragments": Path(folder).name}}), visitor() as person:
            before = hub()
            fragment.write_text(WRONG)
            for _ in range(2):
                refused = make("up", check=False)
                assert refused.returncode != 0
                assert f"{NAME}, line 3: FileNotFoundError" in refused.stdout + refused.stderr
                assert hub() == before
                assert person.ask("/hub/health").status == 200
            # What the pod mounts is there still: a node may be rebooted before the fragment is right.
            kubectl("--namespace", "hub", "delete", "pod", "--selector", HUB)
            eventually("the hub", lambda: person.ask("/hub/health").status == 200, seconds=300)
            before = hub()

            # As the pages ask an administrator to: the update has to bring it back all the same.
            kubectl("--namespace", "hub", "scale", "deployment/hub", "--replicas=0")
            fragment.write_text(GOOD.replace("first", "second"))
            make("up")
            assert hub() not in ("", before)
            assert person.ask("/hub/health").status == 200
            jobs = kubectl("--namespace", "hub", "get", "jobs", "--output", "name")
            assert jobs.count("job.batch/hub-rehearsal-") == jobs.count("job.batch/hub-proxy-rehearsal-") == 1


def hub() -> str:
    """Return which pod the hub is."""
    return kubectl(
        "--namespace", "hub", "get", "pods", "--selector", HUB, "--output", "jsonpath={.items[*].metadata.uid}"
    )
