"""Images that machines remove: what the script takes away, and what it leaves."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from components.apps.hub.old_images import ROLE, old_images
from converge.items import Script
from converge.render import render
from tests.components.apps.hub.test_component import program
from tests.converge.scripts import own_text
from tests.converge.test_render import accept
from tests.programs.hub.asking import site
from tests.tools import SHELLCHECK

LAB: Final = "quay.io/team/lab"
FIRST, SECOND, THIRD = (f"sha256:{digit * 64}" for digit in "abc")
# As containerd's own prints its tables; it answers for one namespace.
CTR: Final = """#!/usr/bin/env bash
set -euo pipefail
[[ "$1 $2" == "--namespace k8s.io" ]]
case "$3 $4" in
"images list")
    echo "REF TYPE DIGEST SIZE PLATFORMS LABELS"
    sed 's/ / application\\/x /; s/$/ 1.0 GiB linux\\/amd64 -/' "$KEPT/images"
    ;;
"containers list")
    echo "CONTAINER    IMAGE    RUNTIME"
    sed 's/$/    io.containerd.runc.v2/' "$KEPT/containers"
    ;;
"images remove")
    shift 5
    for name in "$@"; do grep --quiet "^$name " "$KEPT/images" || exit 1; done
    for name in "$@"; do sed --in-place "\\|^$name |d" "$KEPT/images"; done
    ;;
*) exit 64 ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """What containerd has on it."""

    directory: Path

    @property
    def images(self) -> set[str]:
        """All names that there are."""
        return {line.split()[0] for line in (self.directory / "images").read_text().splitlines()}

    def add(self, digest: str, *names: str) -> None:
        """Let it have pulled an image by these names."""
        by_digest = {f"{name.rpartition(':')[0]}@{digest}" for name in names if "@" not in name}
        every = {*names, *by_digest, f"sha256:{digest[-1] * 63}f"}
        with (self.directory / "images").open("a") as file:
            file.writelines(f"{name} {digest}\n" for name in sorted(every))

    def start(self, container: str, image: str) -> None:
        """Make a container of an image."""
        with (self.directory / "containers").open("a") as file:
            file.write(f"{container}    {image}\n")

    def end(self) -> None:
        """Have all containers deleted."""
        (self.directory / "containers").write_text("")

    def check(self, *wanted: str) -> tuple[int, str]:
        """Return the status and what would go."""
        done = self._run(script(*wanted).check)
        return done.returncode, done.stdout.strip()

    def apply(self, *wanted: str) -> None:
        """Let the named images go."""
        assert self._run(script(*wanted).apply).returncode == 0
        assert self.check(*wanted) == (0, "")

    def _run(self, text: str) -> subprocess.CompletedProcess[str]:
        # As a role runs it: a function that is asked whether it holds.
        run = f"set -euo pipefail\nlook() {{\n{text}\n}}\nlook || exit 1\n"
        environment = {**os.environ, "PATH": f"{self.directory}:{os.environ['PATH']}", "KEPT": str(self.directory)}
        return subprocess.run(["bash", "-c", run], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "ctr").write_text(CTR)
    (tmp_path / "ctr").chmod(0o755)
    for name in ("images", "containers"):
        (tmp_path / name).touch()
    made = Machine(tmp_path)
    made.add(FIRST, f"{LAB}:w202640")
    made.add(SECOND, f"{LAB}:w202648")
    return made


def script(*wanted: str) -> Script:
    role = old_images(site(images_to_remove=wanted).hub)
    assert role is not None
    (item,) = role.items
    assert isinstance(item, Script)
    return item


@pytest.mark.parametrize("name", [f"{LAB}:w202640", f"{LAB}:w202640@{FIRST}"])
def test_image_goes_with_all_its_names(machine: Machine, name: str) -> None:
    status, found = machine.check(name)
    assert status == 1
    assert set(found.split(", ")) == {f"{LAB}:w202640", f"{LAB}@{FIRST}", f"sha256:{'a' * 63}f"}
    machine.apply(name)
    assert machine.images == {f"{LAB}:w202648", f"{LAB}@{SECOND}", f"sha256:{'b' * 63}f"}


def test_name_as_the_hub_shows_it_is_that_of_its_digest(machine: Machine) -> None:
    machine.apply(f"{LAB}:w202640@{FIRST}", f"{LAB}:w202648@{THIRD}")
    assert f"{LAB}:w202640" not in machine.images, "it is the same image"
    assert f"{LAB}:w202648" in machine.images, "it is another one"


def test_image_of_a_container_stays_until_its_end(machine: Machine) -> None:
    machine.start("1a", f"{LAB}@{FIRST}")
    machine.start("1b", f"{LAB}:w202648")
    before = machine.images
    assert machine.check(f"{LAB}:w202640") == (0, "")
    machine.apply(f"{LAB}:w202640", f"{LAB}:w202648")
    assert machine.images == before
    machine.end()
    machine.apply(f"{LAB}:w202640", f"{LAB}:w202648")
    assert machine.images == set()


def test_image_with_a_name_that_is_not_to_be_removed_stays(machine: Machine) -> None:
    machine.add(THIRD, f"{LAB}:d20261101", f"{LAB}:recommended", "registry.example.org/course:1")
    names = [f"{LAB}:d20261101", f"{LAB}:recommended"]
    for stays in (names, [f"{LAB}@{THIRD}"], [f"registry.example.org/course:1@{THIRD}"]):
        assert machine.check(*stays) == (0, "")
    assert machine.check(*names, "registry.example.org/course:1")[0] == 1


def test_image_that_another_repository_names_by_its_digest_stays(machine: Machine) -> None:
    """As a site that names it so would pull it again."""
    machine.add(FIRST, f"docker.io/team/lab@{FIRST}")
    assert machine.check(f"{LAB}:w202640") == (0, "")
    assert machine.check(f"{LAB}:w202640", f"docker.io/team/lab@{FIRST}")[0] == 1


def test_longest_list_is_a_script_that_a_machine_takes() -> None:
    longest = [f"{LAB}/{'a' * 150}{number:02}:1@sha256:{number:064x}" for number in range(50)]
    assert all(len(each) > 240 for each in longest)
    role = old_images(site(images_to_remove=longest).hub)
    assert role is not None
    render(role, "chick1")


def test_machine_without_the_image_or_without_containerd(machine: Machine) -> None:
    assert machine.check("quay.io/team/none:1") == (0, "")
    (machine.directory / "ctr").rename(machine.directory / "other")
    assert machine.check(f"{LAB}:w202640") == (0, "")


def test_containerd_that_does_not_answer_is_not_a_machine_without_the_image(machine: Machine) -> None:
    (machine.directory / "ctr").write_text("#!/bin/sh\necho 'connection refused' >&2\nexit 1\n")
    assert machine.check(f"{LAB}:w202640") == (1, "containerd does not say what it has")


def test_names_are_not_patterns(machine: Machine) -> None:
    machine.add(THIRD, f"{LAB}:w2026-40")
    assert machine.check(f"{LAB}:w2026.40") == (0, "")


def test_bash_and_shellcheck_accept(tmp_path: Path) -> None:
    role = old_images(site(images_to_remove=[f"{LAB}:w202640"]).hub)
    assert role is not None
    accept(render(role, "chick1"), tmp_path, "bash", "-n")
    accept(own_text(render(role, "chick1")), tmp_path, SHELLCHECK)


def test_machines_remove_them_after_the_hub_has_stopped_pulling_them() -> None:
    of = site(images_to_remove=[f"{LAB}:w202640"])
    recorded = program(of)
    made = {f"{name}-{ROLE}" for name in of.workers_for("user")}
    assert made <= {each.name for each in recorded}
    for name in made:
        assert "hub-server" in recorded.one(name).depends_on_names
    assert not [each.name for each in program(site()) if ROLE in each.name]
