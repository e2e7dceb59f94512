"""A hub that offers what a site says before a server starts, on a cluster whose pods wait; its registry is down."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stacks.settings import Site
from tests.browser.cluster import Cluster
from tests.browser.visitor import Visitor, visiting
from tests.programs.hub.asking import SECRETS, configured
from tests.programs.hub.provisioner import running_provisioner
from tests.programs.hub.running import HUB_CA, serving
from tests.programs.hub.test_menu import known

PASSWORD: Final = SECRETS["shared-password"]


@contextmanager
def offering(of: Site, cluster: Cluster, directory: Path, *, scanned: float = 0) -> Iterator[Visitor]:
    """Run it, and yield the browser of a person; `scanned` is when the registry last answered, now if omitted."""
    for name in ("hub", "provisioner"):
        (directory / name).mkdir()
    known(directory / "hub", scanned=scanned or time.time())
    with running_provisioner(directory / "provisioner") as provisioner:
        config = configured(directory / "hub", of, provisioner.url, {**SECRETS, **provisioner.secrets})
        with (
            serving(config, cluster=cluster.kubeconfig, host=of.hub.host) as url,
            visiting(url, of.hub.host, (directory / "hub" / HUB_CA).read_text()) as visitor,
        ):
            yield visitor
