"""Fixtures of the hub's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.hub.provisioner import Provisioner, running_provisioner


@pytest.fixture
def provisioner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provisioner]:
    """Provide a home provisioner, for one test."""
    directory: Path = tmp_path_factory.mktemp("provisioner")
    with running_provisioner(directory) as running:
        yield running
