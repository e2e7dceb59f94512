"""Machines that roles may change: an SSH server in a bare Debian that is written to only below /tmp and /run, and a
machine of a rack with an init system."""

from collections.abc import Iterator

import pytest

from lab import lifecycle
from lab.rack import Rack
from tests.converge.scripts import MACHINE, LoopbackShell, RackShell
from tests.engine import sshd


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    """Provide the server; its /tmp is `files`."""
    with sshd.server(tmp_path_factory.mktemp("host")) as server:
        yield server


@pytest.fixture(scope="session")
def _session(ssh_server: sshd.Server) -> Iterator[LoopbackShell]:
    shell = LoopbackShell(ssh_server)
    yield shell
    shell.close()


@pytest.fixture
def shell(_session: LoopbackShell) -> LoopbackShell:
    """Provide a shell on the server, with an empty /tmp/x."""
    _session.run("rm -rf /tmp/x /run/henhouse && mkdir -m 755 /tmp/x")
    return _session


@pytest.fixture(scope="session")
def machine(worker_id: str) -> Iterator[RackShell]:
    """Provide a machine with an init system, in a rack of its own without a mirror.

    Tests that run side by side have a rack each: a rack's lock is refused to a second one.
    """
    rack = Rack.model_validate(
        {
            "name": f"roles-{worker_id}",
            "campus": {"interface": "198.18.0.1/19", "gateway": MACHINE},
            "machines": [{"name": MACHINE, "kind": "nspawn", "address": "198.18.0.100", "memory": "1G"}],
        }
    )
    with lifecycle.only_one(rack):
        try:
            lifecycle.up(rack)
            yield RackShell(rack, MACHINE)
        finally:
            lifecycle.down(rack)
