"""Recipes hold together: pinned, complete, one on top of the other."""

import json
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from images.recipe import BUILT_HERE, LANGUAGES, PYTHON, RECIPES, Recipe, locked_version
from stacks.versions import SITE
from tests.stacks.sites import ROOT

FOLDERS: Final = sorted(path for path in RECIPES.iterdir() if path.is_dir())
LOCKS: Final = sorted(RECIPES.glob("*/requirements.txt"))
LISTS: Final = sorted(RECIPES.glob("*/packages.txt"))
STANDS_ON: Final = {"languages": "python", "rstudio": "languages", "sage": "languages", "julia": "languages"}
"""By recipe, what its Containerfile is given as BASE; the first stands on Debian."""


def names(path: Path) -> str:
    return str(path.relative_to(RECIPES))


def instructions(folder: Path) -> list[str]:
    """Return the lines of a Containerfile, continued ones put together."""
    text = re.sub(r"\\\n", " ", (folder / "Containerfile").read_text())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def locked(path: Path) -> dict[str, str]:
    """Return the versions in a lock file by package."""
    found = re.findall(r"^([a-z0-9][a-z0-9.-]*)==(\S+)", path.read_text(), re.MULTILINE)
    return dict(found)


def packages(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_containerfile_copies_what_is_there_and_ends_as_a_person(folder: Path) -> None:
    lines = instructions(folder)
    for line in (each for each in lines if each.startswith("COPY") and "--from=" not in each):
        sources = [word for word in line.split()[1:-1] if not word.startswith("--")]
        assert sources
        assert not [source for source in sources if not (folder / source).is_file()]
    assert [line for line in lines if line.startswith("USER")][-1] == "USER 1000"
    assert [line for line in lines if line.startswith("FROM")][-1] == "FROM ${BASE}"


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_what_a_containerfile_runs_is_on_the_path(folder: Path) -> None:
    """An image on top has the PATH of the one below, also for what the one below has copied into itself."""
    below = next(each for each in instructions(RECIPES / "python") if each.startswith("ENV PATH="))
    path = below.split()[1].removeprefix("PATH=").split(":")
    assert {"/usr/local/sbin", "/usr/sbin", "/sbin"} <= set(path), "where dpkg looks for what packages need (dpkg(1))"
    copied = [each.split()[-1] for each in instructions(folder) if each.startswith("COPY --chmod=755")]
    assert all(str(Path(program).parent) in path for program in copied)
    assert not [each for each in instructions(folder) if each.startswith("ENV PATH=") and each != below]


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_every_file_of_a_recipe_is_used(folder: Path) -> None:
    used = (folder / "Containerfile").read_text()
    unused = {path.name for path in folder.iterdir() if path.name not in used} - {"Containerfile"}
    assert unused <= {"requirements.in"}


@pytest.mark.parametrize("lock", LOCKS, ids=names)
def test_every_requirement_is_pinned_and_has_hashes(lock: Path) -> None:
    text = lock.read_text()
    entries = re.split(r"\n(?=\S)", text)
    wanted = [entry for entry in entries if not entry.startswith("#")]
    assert wanted
    assert not [entry for entry in wanted if not re.match(r"[a-z0-9][a-z0-9.-]*==\S+ \\\n +--hash=sha256:", entry)]


@pytest.mark.parametrize("lock", LOCKS, ids=names)
def test_lock_file_has_what_its_input_asks_for(lock: Path) -> None:
    found = locked(lock)
    for line in lock.with_suffix(".in").read_text().splitlines():
        if line and not line.startswith(("#", "-")):
            name, _, version = re.sub(r"\[.*\]", "", line).partition("==")
            assert name in found
            assert version in ("", found[name])


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock.parent.name != "python"], ids=names)
def test_image_on_top_changes_no_version_of_the_one_below(lock: Path) -> None:
    """It would be there twice, and the server that was tried would be another."""
    below = locked(RECIPES / "python" / "requirements.txt")
    assert not {name: version for name, version in locked(lock).items() if below.get(name, version) != version}


@pytest.mark.parametrize("path", LISTS, ids=names)
def test_debian_packages_are_named_once(path: Path) -> None:
    listed = packages(path)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in listed)
    others = [name for each in LISTS for name in packages(each)]
    assert not [name for name in listed if others.count(name) > 1]


def test_server_is_of_the_hubs_major_version() -> None:
    """Upstream asks for no more: https://jupyterhub.readthedocs.io/en/stable/explanation/singleuser.html"""
    (server, hub) = (each.split(".")[0] for each in (locked_version("python", "jupyterhub"), SITE["jupyterhub"]))
    assert server == hub
    with pytest.raises(LookupError, match="no-such-package"):
        locked_version("python", "no-such-package")


def test_base_is_the_debian_of_the_machines() -> None:
    assert f"ARG BASE=docker.io/library/debian:{SITE['debian']}-slim" in instructions(PYTHON.directory)


@pytest.mark.parametrize("recipe", BUILT_HERE, ids=lambda recipe: str(recipe.name))
def test_image_is_tried_with_all_that_is_below_it(recipe: Recipe) -> None:
    asked = json.loads(json.dumps(recipe.questions()))
    below = recipe.stands_on
    assert STANDS_ON.get(recipe.name) == (below.name if below else None)
    if below:
        assert asked["kernels"].items() > below.questions()["kernels"].items()
        assert asked["commands"][: len(below.all_commands)] == below.questions()["commands"]
    assert len({kernel.name for kernel in recipe.all_kernels}) == len(recipe.all_kernels)


def test_default_environment_has_the_languages() -> None:
    assert {"python3", "ir", "octave", "clang_repl"} <= {kernel.name for kernel in LANGUAGES.all_kernels}


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_page_says_of_every_recipe_whether_it_was_built(folder: Path) -> None:
    page = (ROOT / "docs/images.md").read_text()
    built = folder.name in {recipe.name for recipe in BUILT_HERE}
    assert f"| `{folder.name}` | {'yes' if built else 'no'}" in page


def test_programs_of_an_image_are_in_the_computers_language() -> None:
    """What runs in an image has no henhouse there."""
    text = (ROOT / "images/inside.py").read_text()
    assert not re.search(r"^(from|import) (images|lab|ops|stacks)", text, re.MULTILINE)


@pytest.mark.parametrize("script", sorted(RECIPES.glob("*/*.sh")), ids=names)
def test_scripts_are_what_a_plain_shell_reads(script: Path) -> None:
    assert script.read_text().startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
