"""Which Python a project is run with: what the official host decides from Pulumi.yaml, the PATH and lock files.

The rules and the words of the errors are those of `parseOptions` (sdk/python/cmd/pulumi-language-python/main.go) and
of `ResolveToolchain` (sdk/python/toolchain) in pulumi/pulumi. Nothing is installed here: where the official host would
make an environment or bring it up to date, that of the project has to be complete.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Name = Literal["pip", "poetry", "uv"]

_TOOLCHAINS: Final[tuple[Name, ...]] = ("pip", "poetry", "uv")
_TYPECHECKERS: Final = ("mypy", "pyright")
_NOT_FOUND: Final = {
    "uv": "Could not find `uv` executable.\nInstall uv and make sure it is in your PATH.",
    "poetry": (
        "Could not find `poetry` executable.\n"
        "Install poetry and make sure it is in your PATH, or set the toolchain option in Pulumi.yaml to `pip`."
    ),
}


class ToolchainError(Exception):
    """The project's options cannot be followed on this computer; the message is the official host's."""


@dataclass(frozen=True)
class Toolchain:
    """What runs the project's program."""

    name: Name
    python: Path
    """The interpreter."""

    @property
    def lists_with_pip(self) -> bool:
        """Whether it asks pip what is installed: uv and poetry read their lock files."""
        return self.name == "pip"


def resolve(root: Path, program: Path, options: Mapping[str, Any]) -> Toolchain:
    """Return the toolchain of the project in `root` whose program is in `program`; `options` are Pulumi.yaml's.

    Raise ToolchainError where the official host would not run the program.
    """
    virtualenv, named = _text(options, "virtualenv"), _one_of(options, "toolchain", _TOOLCHAINS)
    _one_of(options, "typechecker", _TYPECHECKERS)
    match named or _detected(program):
        case "uv":
            return Toolchain("uv", _python_of_uv(root, program, virtualenv))
        case "poetry":
            _on_path("poetry")
            raise ToolchainError("the environments of poetry are beyond this plugin; use the official one")
    if not virtualenv:
        return Toolchain("pip", _ambient_python())
    python = _python(root / virtualenv)
    if not python.is_file():
        trouble = "doesn't appear to be a virtual environment" if (root / virtualenv).exists() else "doesn't exist"
        raise ToolchainError(
            f"The 'virtualenv' option in Pulumi.yaml is set to {_quoted(virtualenv)}, but {_quoted(root / virtualenv)} "
            f"{trouble}; for this project `make setup` creates it"
        )
    return Toolchain("pip", python)


def _text(options: Mapping[str, Any], name: str) -> str:
    value = options.get(name, "")
    if not isinstance(value, str):
        raise ToolchainError(f"{name} option must be a string")
    return value


def _one_of(options: Mapping[str, Any], name: str, accepted: tuple[str, ...]) -> str:
    value = _text(options, name)
    if name in options and value not in accepted:
        raise ToolchainError(f"unsupported {name} option: {value}")
    return value


def _detected(program: Path) -> Name:
    """Return the toolchain whose lock file is beside the program or in a folder above; without one, pip."""
    if _search_up(program, "uv.lock"):
        return "uv"
    return "poetry" if _search_up(program, "poetry.lock") else "pip"


def _search_up(start: Path, name: str) -> Path | None:
    return next((folder for folder in (start, *start.parents) if (folder / name).exists()), None)


def _on_path(program: str) -> None:
    if shutil.which(program) is None:
        raise ToolchainError(_NOT_FOUND[program])


def _python_of_uv(root: Path, program: Path, virtualenv: str) -> Path:
    _on_path("uv")
    if virtualenv:
        folder = root / virtualenv
    else:
        beside = _search_up(program, "uv.lock") or _search_up(program, "pyproject.toml") or program
        folder = beside / (os.environ.get("UV_PROJECT_ENVIRONMENT") or ".venv")
    python = _python(folder)
    if not python.is_file():
        raise ToolchainError(f"'{folder}' is not a virtualenv")
    return python


def _ambient_python() -> Path:
    wanted = [os.environ["PULUMI_PYTHON_CMD"]] if os.environ.get("PULUMI_PYTHON_CMD") else ["python3", "python"]
    for name in wanted:
        if found := shutil.which(name):
            return Path(found)
    raise ToolchainError(f"failed to locate any of {[*wanted]} on your PATH. Have you installed Python 3.6 or greater?")


def _python(environment: Path) -> Path:
    return environment / "bin" / "python"


def _quoted(value: object) -> str:
    return f'"{value}"'
