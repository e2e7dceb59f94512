"""The Go programs that the mirror packages, built from pinned modules.

Each directory below ``go/`` is a module whose ``tool`` directives name the programs and whose ``go.sum`` pins
every byte of their source. Go fetches them through the module proxy that the environment names (GOPROXY).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from lab.cache import Artifact, file_digest
from lab.golang import GO, NO_DEBUG_DATA, go
from lab.processes import run
from lab.versions import SITE

MODULES: Final = Path(__file__).with_name("go")


@dataclass(frozen=True)
class Programs:
    """One module's programs."""

    module: str
    """Directory below ``go/``, also the name in progress messages."""
    version: str
    """Version that the programs report, without ``v``."""
    stamps: tuple[str, ...] = ()
    """Go variables that take the version as ``v1.2.3`` (``-ldflags -X``)."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Further Go variables and their values."""
    tags: tuple[str, ...] = ()
    """Build tags, as upstream's own Makefile sets them."""
    cgo: bool = False
    """Links C libraries of this computer."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Programs whose package has another name than the program."""
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Files and directories to keep beside the programs, below ``source/``, by the Go module that holds them."""

    @property
    def directory(self) -> Path:
        return MODULES / self.module

    def flags(self) -> list[str]:
        """Arguments of ``go build``."""
        values = dict.fromkeys(self.stamps, f"v{self.version}") | dict(self.constants)
        link = ["-s", "-w", *(f"-X={name}={value}" for name, value in values.items())]
        flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", NO_DEBUG_DATA, f"-ldflags={' '.join(link)}"]
        return [*flags, f"-tags={','.join(self.tags)}"] if self.tags else flags

    @cached_property
    def artifact(self) -> Artifact:
        """The directory with the programs."""
        inputs = {
            "modules": file_digest(self.directory / "go.mod", self.directory / "go.sum"),
            "flags": self.flags(),
            "cgo": self.cgo,
            "renamed": dict(self.renamed),
            "sources": {module: list(paths) for module, paths in self.sources.items()},
        }
        return Artifact(f"go-{self.module}", f"building {self.module} {self.version}", self._build, inputs, (GO,))

    def _build(self, output: Path) -> None:
        go(self.directory, "build", *self.flags(), "-o", f"{output}/", "tool", cgo=self.cgo)
        for built, name in self.renamed.items():
            (output / built).rename(output / name)
        for module, paths in self.sources.items():
            _keep(self.directory, module, paths, output / "source")


_MINOR: Final = SITE["kubernetes"].split(".")[1]
_CALICO: Final = "github.com/projectcalico/calico"

KUBERNETES: Final = Programs(
    "kubernetes",
    SITE["kubernetes"],
    stamps=("k8s.io/component-base/version.gitVersion", "k8s.io/client-go/pkg/version.gitVersion"),
    constants={
        f"k8s.io/{package}.{name}": value
        for package in ("component-base/version", "client-go/pkg/version")
        for name, value in (("gitMajor", "1"), ("gitMinor", _MINOR), ("gitTreeState", "clean"))
    },
    sources={"k8s.io/kubernetes": ("build/pause/linux/pause.c",)},
)
CONTAINERD: Final = Programs(
    "containerd",
    SITE["containerd"],
    stamps=("github.com/containerd/containerd/v2/version.Version",),
    tags=("urfave_cli_no_docs",),
    sources={"github.com/containerd/containerd/v2": ("containerd.service",)},
)
RUNC: Final = Programs("runc", SITE["runc"], tags=("seccomp", "urfave_cli_no_docs"), cgo=True)
ETCD: Final = Programs("etcd", SITE["etcd"], renamed={"server": "etcd"})
CNI_PLUGINS: Final = Programs(
    "cni-plugins",
    SITE["cni_plugins"],
    stamps=("github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion",),
)
CALICO: Final = Programs(
    "calico",
    SITE["calico"],
    stamps=(f"{_CALICO}/pkg/buildinfo.Version",),
    sources={_CALICO: ("manifests/calico.yaml", "node/filesystem", "confd/etc/calico")},
)
COREDNS: Final = Programs("coredns", SITE["coredns"])

ALL: Final = (KUBERNETES, CONTAINERD, RUNC, ETCD, CNI_PLUGINS, CALICO, COREDNS)


def _keep(directory: Path, module: str, paths: tuple[str, ...], target: Path) -> None:
    """Copy parts of a module's source out of Go's module cache, where they are read-only; the copies are writable."""
    source = Path(json.loads(go(directory, "mod", "download", "-json", module))["Dir"])
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        run(["cp", "--recursive", "--no-preserve=mode", f"{source}/{path}", f"{target}/{path}"])
