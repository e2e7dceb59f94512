"""The `pulumi` command line, built from its Go module with the checksums of `go/go.sum`."""

from pathlib import Path
from typing import Final

from lab.cache import Artifact, file_digest
from lab.golang import GO, NO_DEBUG_DATA, go
from lab.versions import PULUMI

_MODULE: Final = Path(__file__).with_name("go")
_PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_FLAGS: Final = (
    "-trimpath",
    NO_DEBUG_DATA,
    "-buildvcs=false",
    "-mod=readonly",
    "-tags=osusergo,grpcnotrace",
    f"-ldflags=-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI}",
)


def _build(directory: Path) -> None:
    go(_MODULE, "build", *_FLAGS, "-o", str(directory / "pulumi"), _PACKAGE)


CLI: Final = Artifact(
    "pulumi",
    f"building pulumi {PULUMI}",
    _build,
    {"module": file_digest(_MODULE / "go.mod", _MODULE / "go.sum"), "flags": _FLAGS},
    needs=(GO,),
)
"""The directory that holds `pulumi` of the pinned version."""
