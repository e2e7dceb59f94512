"""Pages name files and things that exist, and show the pictures that tests take."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.stacks.sites import ROOT

PAGES: Final = [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"]
SCREENSHOTS: Final = ROOT / "docs/screenshots"
ROOMS: Final = tuple(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
_PATH: Final = re.compile(rf"(?:{'|'.join(ROOMS)})/[A-Za-z0-9_./-]*")
_NAME: Final = re.compile(r"(?:stacks|components|converge|ops|lab|engine|programs|quickstart|tests)(?:\.\w+)+")


def spoken_of(page: Path) -> list[str]:
    """Return what a page has in backticks, and where its links lead."""
    text = page.read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    return [*re.findall(r"`([^`\n]+)`", text), *(str((page.parent / link).relative_to(ROOT)) for link in links)]


def resolves(name: str) -> bool:
    """Whether a dotted name leads to a module, or to something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_exists(page: Path) -> None:
    paths = [each for each in spoken_of(page) if _PATH.fullmatch(each) and "<" not in each]
    assert not [path for path in paths if not (ROOT / path).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_name_exists(page: Path) -> None:
    names = [each for each in spoken_of(page) if _NAME.fullmatch(each) and not (ROOT / each).exists()]
    assert not [name for name in names if not resolves(name)]


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        assert not [link for link in links if not (page.parent / link).exists()], page.name


def pictures(test: Path) -> Iterator[str]:
    """Yield the names of the pictures that a test takes: they are in the calls, or the values of its `PICTURES`."""
    for node in ast.walk(ast.parse(test.read_text())):
        match node:
            case ast.Call(func=ast.Name("picture"), args=[_, ast.Constant(str(name))]):
                yield name
            case ast.Call(func=ast.Name("picture"), args=[_, of]):
                assert "PICTURES" in test.read_text(), f"{test.name}: which pictures are {ast.unparse(of)}?"
            case ast.AnnAssign(target=ast.Name("PICTURES"), value=ast.Dict(values=names)):
                yield from map(ast.literal_eval, names)


def test_pictures_are_taken_by_tests_and_shown() -> None:
    kept = {each.stem for each in SCREENSHOTS.iterdir()}
    taken = {name for test in ROOT.glob("tests/browser/test_*.py") for name in pictures(test)}
    shown = {
        name
        for page in PAGES
        for name in re.findall(r"!\[[^\]]+\]\((?:docs/)?screenshots/(.+?)\.png\)", page.read_text())
    }
    assert taken - kept == set(), "`make screenshots` takes them, and they are committed"
    assert kept - taken == set(), "no test takes them again"
    assert kept - shown == set(), "no page shows them"
