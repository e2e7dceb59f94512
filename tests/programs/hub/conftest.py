"""Fixtures of the hub's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.hub.maker import Maker, running_maker


@pytest.fixture
def maker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maker]:
    """A maker of homes, for one test."""
    directory: Path = tmp_path_factory.mktemp("maker")
    with running_maker(directory) as running:
        yield running
