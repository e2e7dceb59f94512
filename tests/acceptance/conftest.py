"""The order of the acceptance run's chapters, and their times, printed under the results."""

from typing import Final

import pytest

from tests.acceptance.site import Clock, make

CHAPTERS: Final = ("test_story.py", "test_person.py", "test_taken_down.py")
"""Files that use one rack, in this order; pytest's own order is by name."""
_CLOCK = Clock()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the chapters in their order, after all other tests."""
    items.sort(key=lambda item: CHAPTERS.index(item.path.name) if item.path.name in CHAPTERS else -1)


@pytest.fixture(scope="session")
def clock() -> Clock:
    """Where a test keeps how long things took."""
    return _CLOCK


@pytest.fixture(scope="module")
def site_is_up() -> None:
    """Bring the site up, with its own settings."""
    make("up")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the times as a table."""
    if _CLOCK.times:
        terminalreporter.section("how long it took")
        for what, seconds in _CLOCK.times:
            terminalreporter.write_line(f"{seconds:8.1f} s  {what}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip each test after a failure: the tests are one story, and the later chapters would only repeat the failure.

    Before any fixture, which would look for what an earlier chapter did not make.
    """
    if item.session.testsfailed:
        pytest.skip("an earlier chapter failed")
