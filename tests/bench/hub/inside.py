"""A place of its own for the run: network, mounts and processes that end with it."""

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from components.apps.hub.addresses import hub_url, proxy_api_url
from tests.bench.hub.cluster import HUB, POD_ADDRESSES
from tests.bench.hub.programs import PROXY
from tests.certificates import LOOPBACK

_OWN_ADDRESS: Final = "198.18.0.1/24"
_UNSHARE: Final = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--")


def command(arguments: Sequence[str]) -> list[str]:
    """Return the words that run the bench with these arguments in a place of its own.

    When that process ends, by whatever, everything that it started ends with it.
    """
    return [*_UNSHARE, sys.executable, "-m", "tests.bench.hub", *arguments]


def hosts() -> str:
    """Return the lines of /etc/hosts: the names of the hub's Services in the cluster."""
    names = [url.split("/")[2].partition(":")[0] for url in (hub_url(HUB), proxy_api_url(HUB))]
    return f"{LOOPBACK} localhost {' '.join(names)}\n"


def furnish(directory: Path) -> None:
    """Make the place what the programs expect; it must be one of `command`."""
    (directory / "hosts").write_text(hosts())
    steps = (
        ("ip", "link", "set", "lo", "up"),
        # The API server tells others an address that is not of the loopback; it looks for it by the default route.
        ("ip", "link", "add", "bench0", "type", "veth", "peer", "name", "bench1"),
        ("ip", "address", "add", _OWN_ADDRESS, "dev", "bench0"),
        ("ip", "link", "set", "bench1", "up"),
        ("ip", "link", "set", "bench0", "up"),
        ("ip", "route", "add", "default", "dev", "bench0"),
        # Every address of a simulated pod is this computer's.
        ("ip", "route", "add", "local", POD_ADDRESSES, "dev", "lo"),
        ("mount", "--bind", str(directory / "hosts"), "/etc/hosts"),
        *(("mount", "--bind", each, f"{PROXY.make()}{each}") for each in ("/proc", "/dev", "/etc/hosts")),
    )
    for step in steps:
        subprocess.run(step, check=True)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a websocket is several; pods have as many
