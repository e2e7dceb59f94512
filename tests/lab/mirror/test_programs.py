"""The pinned modules are of the versions that versions.toml names."""

import re
from pathlib import Path

import pytest

from lab.mirror.programs import ALL, CALICO, ETCD, KUBERNETES, MODULES, Programs

_REQUIRED = {
    "kubernetes": "k8s.io/kubernetes",
    "containerd": "github.com/containerd/containerd/v2",
    "runc": "github.com/opencontainers/runc",
    "etcd": "go.etcd.io/etcd/server/v3",
    "cni-plugins": "github.com/containernetworking/plugins",
    "coredns": "github.com/coredns/coredns",
}


def _go_mod(programs: Programs) -> str:
    return (programs.directory / "go.mod").read_text()


def _directives(text: str, name: str) -> list[str]:
    """Return the arguments of a directive, in a line of its own or in a parenthesised block."""
    blocks = re.findall(rf"^{name} \((.*?)^\)", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line.strip() for line in (*lines, *re.findall(rf"^{name} ([^(].*)$", text, flags=re.MULTILINE)) if line]


@pytest.mark.parametrize("programs", [p for p in ALL if p is not CALICO], ids=lambda p: str(p.module))
def test_module_requires_the_version_that_versions_toml_names(programs: Programs) -> None:
    wanted = f"{_REQUIRED[programs.module]} v{programs.version}"
    assert wanted in _directives(_go_mod(programs), "require")


def test_calico_is_required_at_the_commit_of_its_release() -> None:
    # Calico tags no module versions; v3.31.0 is the commit of this pseudo-version.
    required = _directives(_go_mod(CALICO), "require")
    assert f"github.com/projectcalico/calico v0.0.0-20251021213802-b1f3c43f8437 // v{CALICO.version}" in required


def test_staging_modules_are_of_the_same_kubernetes_release() -> None:
    _, minor, patch = KUBERNETES.version.split(".")
    replaced = [line.split(" => ") for line in _directives(_go_mod(KUBERNETES), "replace") if " => " in line]
    assert len(replaced) > 25
    assert {new for _, new in replaced} == {f"{old} v0.{minor}.{patch}" for old, _ in replaced}


@pytest.mark.parametrize("programs", ALL, ids=lambda p: str(p.module))
def test_every_module_names_programs_and_pins_their_source(programs: Programs) -> None:
    assert _directives(_go_mod(programs), "tool")
    sums = (programs.directory / "go.sum").read_text().splitlines()
    assert sums
    assert all(re.fullmatch(r"\S+ v\S+ h1:[A-Za-z0-9+/]{43}=", line) for line in sums)


def test_every_module_directory_belongs_to_programs() -> None:
    assert {path.name for path in MODULES.iterdir()} == {programs.module for programs in ALL}


def test_flags_stamp_the_version() -> None:
    stamp = "-X=k8s.io/component-base/version.gitVersion=v" + KUBERNETES.version
    assert any(stamp in flag.split() for flag in KUBERNETES.flags())
    assert "-mod=readonly" in KUBERNETES.flags()


def test_renamed_programs_are_among_the_tools() -> None:
    tools = _directives(_go_mod(ETCD), "tool")
    assert any(Path(tool).parent.name == "server" for tool in tools)
