"""Artifacts: built once, never half, and again when what they were made of was."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import network
from lab.builder import chains, make_all
from lab.cache import Artifact, cache_root, file_digest, missing
from lab.rack import RackError, parse_rack
from lab.versions import ROOT
from tests.lab.test_one_machine import RACK

Recipe = Callable[..., Artifact]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HENHOUSE_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def recipe(log: list[str]) -> Recipe:
    """Artifacts that note when they are built; their one file holds the texts of their needs and their own."""

    def made(name: str, *needs: Artifact, text: str = "", fails: bool = False) -> Artifact:
        def fill(directory: Path) -> None:
            log.append(name)
            (directory / "text").write_text("".join((need.path / "text").read_text() for need in needs) + text)
            if fails:
                raise RackError(f"{name} cannot be built")

        return Artifact(name, f"building {name}", fill, {"text": text}, needs)

    return made


def names(artifacts: tuple[Artifact, ...]) -> list[str]:
    return [artifact.name for artifact in artifacts]


def test_it_is_built_once_with_its_needs_first(recipe: Recipe, log: list[str]) -> None:
    base = recipe("base", text="b")
    top = recipe("top", base, text="t")
    assert (top.make() / "text").read_text() == "bt"
    top.make()
    assert log == ["base", "top"]


def test_other_inputs_of_a_need_make_another_artifact(recipe: Recipe) -> None:
    assert recipe("top", recipe("base", text="1")).path != recipe("top", recipe("base", text="2")).path


def test_failed_build_leaves_nothing_that_looks_finished(recipe: Recipe, log: list[str]) -> None:
    with pytest.raises(RackError):
        recipe("top", text="t", fails=True).make()
    assert not recipe("top", text="t").ready
    assert (recipe("top", text="t").make() / "text").read_text() == "t"
    assert log == ["top", "top"]


def test_what_is_complete_does_not_need_its_parts_any_more(recipe: Recipe) -> None:
    base = recipe("base")
    top = recipe("top", base)
    top.make()
    subprocess.run(["rm", "-r", base.path], check=True)
    assert top.ready
    assert missing([top]) == ()


def test_what_stands_on_a_part_that_was_built_again_is_built_again(recipe: Recipe) -> None:
    base = recipe("base")
    top = recipe("top", base)
    top.make()
    subprocess.run(["rm", "-r", base.path], check=True)
    assert names(missing([top, base])) == ["base", "top"]
    base.make()
    assert not top.ready
    top.make()
    assert top.ready


def test_a_clock_that_was_set_back_does_not_make_it_old_for_ever(recipe: Recipe) -> None:
    base = recipe("base")
    tomorrow = base.make().stat().st_mtime + 86400
    os.utime(base.path, (tomorrow, tomorrow))
    recipe("top", base).make()
    assert recipe("top", base).ready


def test_cache_is_found_from_every_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Compilers run in directories of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HENHOUSE_CACHE", "relative")
    assert cache_root() == tmp_path / "relative"


def test_plan_names_each_artifact_once_after_its_needs(recipe: Recipe) -> None:
    base = recipe("base")
    left, right = recipe("left", base), recipe("right", base)
    assert names(missing([recipe("top", left, right), left])).index("top") == 3
    assert sorted(names(missing([recipe("top", left, right), left]))) == ["base", "left", "right", "top"]


def test_longest_chain_comes_first(recipe: Recipe) -> None:
    base, quick = recipe("base"), recipe("quick")
    slow = recipe("slow", base)
    found = chains([base, quick, slow], {"base": 1, "quick": 50, "slow": 100})
    assert found == {base.directory_name: 101, quick.directory_name: 50, slow.directory_name: 100}


def test_many_are_made_side_by_side(recipe: Recipe, log: list[str]) -> None:
    base = recipe("base")
    sides = [recipe(f"side{number}", base, text=str(number)) for number in range(6)]
    make_all([recipe("top", *sides)])
    assert log[0] == "base"
    assert log[-1] == "top"
    assert len(log) == 8


def test_first_failure_is_raised_and_nothing_is_begun_that_needs_it(recipe: Recipe, log: list[str]) -> None:
    with pytest.raises(RackError, match="base cannot be built"):
        make_all([recipe("top", recipe("base", fails=True))])
    assert log == ["base"]


@pytest.fixture
def namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Provide the command line that runs a command inside a rack's network."""
    monkeypatch.setenv("HENHOUSE_STATE", str(tmp_path / "state"))
    rack = parse_rack("cachetest", RACK)
    network.create(rack)
    yield network.inside(rack, [])
    network.remove(rack)


@pytest.mark.hosts
@pytest.mark.parametrize(
    "script",
    [
        "from engine.install import ensure_engine; ensure_engine()",
        "from lab.mirror.programs import KUBERNETES; KUBERNETES.artifact.make()",
        "from lab.host import install_packages; install_packages(['a-package-that-does-not-exist'])",
        "from lab.cli import main; raise SystemExit(main(['up']))",
        "from lab.cli import main; raise SystemExit(main(['down']))",
        "from quickstart.__main__ import main; raise SystemExit(main([]))",
        "from tests.tools import jupyterhub_python; jupyterhub_python()",
    ],
)
def test_nothing_is_downloaded_from_inside_a_racks_network(namespace: list[str], script: str) -> None:
    """One sentence that says what to do, instead of what some client says of an unreachable network."""
    done = subprocess.run([*namespace, sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "not possible from inside the rack's network (henhouse-cachetest)" in done.stderr
    assert "leave `make shell`" in done.stderr


@pytest.mark.hosts
def test_environment_is_not_installed_from_inside_a_racks_network(namespace: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "HENHOUSE_CACHE": str(tmp_path / "empty")}
    command = [*namespace, "scripts/setup.sh"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run `make setup` outside it" in done.stderr


def test_docstrings_and_comments_do_not_count_as_input(tmp_path: Path) -> None:
    path = tmp_path / "recipe.py"
    path.write_text('"""One."""\n\n# Why.\nPACKAGES = ("a",)\n"""What."""\n\n\ndef fill() -> None:\n    """Fill."""\n')
    before = file_digest(path)
    path.write_text('"""Two."""\n\nPACKAGES = ("a",)\n\n\ndef fill() -> None:\n    """Make."""\n')
    assert file_digest(path) == before
    path.write_text(path.read_text().replace('("a",)', '("b",)'))
    assert file_digest(path) != before


def test_every_byte_of_other_files_is_an_input(tmp_path: Path) -> None:
    path = tmp_path / "options"
    path.write_text("CONFIG_SMP=y\n")
    before = file_digest(path)
    path.write_text("# CONFIG_SMP=y\n")
    assert file_digest(path) != before
