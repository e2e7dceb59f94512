"""The `pulumi` command line, built from its Go module with the checksums of `go/go.sum`."""

import os
import subprocess
from pathlib import Path
from typing import Final

from lab.cache import artifact, file_digest
from lab.progress import step
from lab.rack import RackError
from lab.versions import PULUMI

_MODULE: Final = Path(__file__).with_name("go")
_PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_FLAGS: Final = (
    "-trimpath",
    "-buildvcs=false",
    "-mod=readonly",
    "-tags=osusergo,grpcnotrace",
    f"-ldflags=-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI}",
)
_SHOWN_LINES: Final = 20


def build_cli() -> Path:
    """The directory that holds `pulumi` of the pinned version; about three minutes on two cores the first time."""
    inputs = {
        "module": file_digest(_MODULE / "go.mod", _MODULE / "go.sum"),
        "flags": _FLAGS,
        "go": _go("env", "GOVERSION", "GOOS", "GOARCH"),
    }
    return artifact(f"pulumi-{PULUMI}", inputs, _build)


def _build(directory: Path) -> None:
    with step(f"building pulumi {PULUMI}"):
        _go("build", *_FLAGS, "-o", str(directory / "pulumi"), _PACKAGE)


def _go(*arguments: str) -> str:
    """Run Go in the module's directory, at low priority; RackError shows the end of what it printed."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "auto"}
    try:
        done = subprocess.run(
            ["nice", "-n", "10", "go", *arguments],
            cwd=_MODULE,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise RackError(f"the lab needs {error.filename} to build pulumi {PULUMI}: install Go") from error
    if done.returncode:
        tail = "\n  ".join(done.stderr.splitlines()[-_SHOWN_LINES:])
        raise RackError(f"`go {arguments[0]}` of pulumi {PULUMI} failed in {_MODULE}:\n  {tail}")
    return done.stdout
