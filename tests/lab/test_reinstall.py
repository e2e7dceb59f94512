"""A machine that is reinstalled keeps its data disks, whatever happens on the way."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from lab.cache import Artifact
from lab.machines.base import RackMachine
from lab.machines.identity import identity
from lab.rack import load_rack


@dataclass(frozen=True)
class Files(RackMachine):
    """As a virtual machine with disks is laid out, without a process."""

    boot_seconds: ClassVar[float] = 0.0

    @property
    def needs(self) -> tuple[Artifact, ...]:
        return ()

    def boot(self) -> None: ...

    def cut(self) -> None: ...

    def fill(self, directory: Path) -> None:
        for name in ("root.disk", "swap.disk", *self.data):
            (directory / name).write_text("blank")
        (directory / "tree").mkdir()
        (directory / "tree/etc").write_text("blank")


@pytest.fixture
def hen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setenv("HENHOUSE_STATE", str(tmp_path))
    rack = load_rack("dev")
    machine = Files(rack, rack.machine("hen"))
    machine.create()
    for file in machine.directory.rglob("*"):
        if file.is_file():
            file.write_text("used")
    return machine


def test_data_disks_stay_and_the_rest_is_new(hen: Files) -> None:
    assert len(hen.data) == 28
    (hen.directory / "console").write_text("of the last boot")
    hen.reinstall()
    found = {file.name: file.read_text() for file in hen.directory.rglob("*") if file.is_file()}
    assert {name for name, text in found.items() if text == "used"} == hen.data
    assert found["root.disk"] == found["etc"] == "blank"
    assert not hen.directory.with_name("hen.unfinished").exists()


def test_interrupted_reinstall_keeps_them_too(hen: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path) -> None:
        if path.name == "tree":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lab.machines.base.remove_tree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            hen.reinstall()
    assert {(hen.directory / name).read_text() for name in hen.data} == {"used"}
    hen.reinstall()
    assert {(hen.directory / name).read_text() for name in hen.data} == {"used"}
    assert (hen.directory / "root.disk").read_text() == "blank"


def test_each_installation_has_a_machine_id_of_its_own_and_the_key_that_is_pinned(hen: Files) -> None:
    first, second = ({file.path: file.content for file in identity(hen.rack, hen.spec, "eth0", None)} for _ in "12")
    differing = {path for path in first if first[path] != second[path]}
    # The private key's file begins with random numbers; the key is the same.
    assert differing - {"etc/ssh/ssh_host_ed25519_key"} == {"etc/machine-id"}
    assert len(first["etc/machine-id"].strip()) == 32
