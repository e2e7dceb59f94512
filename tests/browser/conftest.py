"""The person at the keyboard, and pictures of pages for the documentation."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.cluster import Cluster, running
from tests.browser.visitor import Visitor

LARGEST = 200_000
"""Bytes of a picture in the repository."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make screenshots` asks for. Pytest sees it where this folder's tests are named on its command line."""
    parser.addoption("--screenshots", type=Path, help="write pictures of the hub's pages into this folder")


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Visitor, str], None]:
    """Provide what takes a picture of the whole page under a name, when pictures are asked for."""
    folder: Path | None = request.config.getoption("screenshots", None)

    def take(visitor: Visitor, name: str) -> None:
        if folder is not None:
            folder.mkdir(exist_ok=True)
            file = folder / f"{name}.png"
            size = len(visitor.page.screenshot(path=file, full_page=True, animations="disabled", caret="hide"))
            assert size < LARGEST, f"{name}: {size} bytes"

    return take


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Provide a cluster whose pods wait."""
    with running(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def visitor(one_visitor: Visitor) -> Visitor:
    """Provide a module's own `one_visitor`, as a visitor who was never there."""
    one_visitor.forget()
    return one_visitor
