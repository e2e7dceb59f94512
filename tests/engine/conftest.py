"""The engine, and projects for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.install import Engine, ensure_engine
from tests.engine.project import Project


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Provide the engine as `make` uses it."""
    return ensure_engine(backend=tmp_path_factory.mktemp("backend"))


@pytest.fixture
def project(engine: Engine, tmp_path: Path) -> Callable[..., Project]:
    """Provide a function that makes a stack of a program with this configuration, marked as a lab by default."""

    def make(program: str, marked: bool = True, **configuration: object) -> Project:
        backend = tmp_path / "backend"
        backend.mkdir()
        made = Project(program, tmp_path / program, {**engine.env, "PULUMI_BACKEND_URL": f"file://{backend}"})
        if marked:
            made.mark()
        made.configure(**configuration)
        return made

    return make
