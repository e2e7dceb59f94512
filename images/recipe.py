"""The images of user servers as data: what each stands on, and what has to work in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RECIPES: Final = Path(__file__).with_name("recipes")
"""A folder per image, each the build context of its Containerfile."""


@dataclass(frozen=True)
class Kernel:
    """A kernel, and a cell that only works if the language and what belongs to it do."""

    name: str
    """As `jupyter kernelspec list` has it."""
    cell: str
    answer: str
    """What the cell prints, without space around it."""


@dataclass(frozen=True)
class Command:
    """A program that people use in terminals. It is asked for its version, and may print anything."""

    words: tuple[str, ...]
    begins: str = ""
    """How its output begins."""


@dataclass(frozen=True)
class Recipe:
    """An image. What stands on another has everything that the other has."""

    name: str
    kernels: tuple[Kernel, ...]
    """Those that it adds."""
    commands: tuple[Command, ...] = ()
    """Those that it adds."""
    stands_on: "Recipe | None" = None
    """If None, on Debian."""

    @property
    def directory(self) -> Path:
        """Its build context."""
        return RECIPES / self.name

    @property
    def all_kernels(self) -> tuple[Kernel, ...]:
        """Its kernels, those of what it stands on first."""
        return (*(self.stands_on.all_kernels if self.stands_on else ()), *self.kernels)

    @property
    def all_commands(self) -> tuple[Command, ...]:
        """Its programs, those of what it stands on first."""
        return (*(self.stands_on.all_commands if self.stands_on else ()), *self.commands)

    def questions(self) -> dict[str, Any]:
        """Return what `images.inside` is told to try; JSON."""
        return {
            "kernels": {kernel.name: {"cell": kernel.cell, "answer": kernel.answer} for kernel in self.all_kernels},
            "commands": [{"words": list(each.words), "begins": each.begins} for each in self.all_commands],
        }


def locked_version(recipe: str, package: str) -> str:
    """Return the version of a Python package in the lock file of a recipe; LookupError when it is not there."""
    for line in (RECIPES / recipe / "requirements.txt").read_text().splitlines():
        name, equals, version = line.removesuffix(" \\").partition("==")
        if equals and name == package:
            return version
    raise LookupError(f"{recipe}/requirements.txt: {package} is not in it")


_PYTHON_CELL: Final = """\
import astropy, bokeh, dask, h5py, ipywidgets, matplotlib, numba, pandas, scipy, skimage, sklearn, sympy, xarray
from scipy.integrate import quad
frame = pandas.DataFrame({"x": range(5)})
print(int(frame.x.sum()), round(quad(lambda x: x * x, 0, 3)[0]), sympy.factorint(2026))
"""
_R_CELL: Final = """\
suppressPackageStartupMessages(library(tidyverse))
cat(tibble(x = 1:4) |> summarise(y = sum(x)) |> pull(y), coef(lm(dist ~ speed, cars))["speed"] > 3)
"""
_GP_CELL: Final = "print(factor(2026))"
_CPP_CELL: Final = """\
#include <iostream>
#include <numeric>
#include <vector>
std::vector<int> squares{1, 4, 9};
std::cout << std::accumulate(squares.begin(), squares.end(), 0) << std::endl;
"""

PYTHON: Final = Recipe(
    "python",
    kernels=(Kernel("python3", _PYTHON_CELL, "10 9 {2: 1, 1013: 1}"),),
    commands=(
        Command(("git", "--version"), "git version "),
        Command(("git", "lfs", "version"), "git-lfs/"),
        Command(("jupyter", "lab", "--version"), locked_version("python", "jupyterlab")),
        Command(("jupyterhub-singleuser", "--version"), locked_version("python", "jupyterhub")),
    ),
)
"""JupyterLab with Python, nbgitpuller, git and terminals."""
LANGUAGES: Final = Recipe(
    "languages",
    kernels=(
        Kernel("ir", _R_CELL, "10 TRUE"),
        Kernel("octave", "pkg load statistics\nprintf('%.0f', det([2 1; 1 3]) + median([1 2 9]))", "7"),
        Kernel("clang_repl", _CPP_CELL, "14"),
    ),
    commands=(
        Command(("R", "--version"), "R version "),
        Command(("g++", "--version"), "g++ "),
        Command(("python3-config", "--includes"), "-I/usr/include/python3."),
    ),
    stands_on=PYTHON,
)
"""With R, Octave and C++."""
SAGE: Final = Recipe(
    "sage",
    kernels=(
        Kernel("sagemath", "print(factor(2026), integrate(x^2, x, 0, 3))", "2 * 1013 9"),
        # What it brings for PARI/GP.
        Kernel("pari_jupyter", _GP_CELL, "[2, 1; 1013, 1]"),
        Kernel("xeus-gp", _GP_CELL, "[2, 1; 1013, 1]"),
    ),
    commands=(Command(("sage", "--version")),),
    stands_on=LANGUAGES,
)
"""With SageMath."""

BUILT_HERE: Final = (PYTHON, LANGUAGES, SAGE)
"""What `make images` builds. The other folders of `recipes` need what not every computer reaches (docs/images.md)."""
