"""Whose the shared directories are on the file server, and what files in them inherit."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from components.storage.fileserver.kept import dropped
from components.storage.fileserver.shares import DEFAULT_ACL, default_acl, mode_of, share_role
from components.storage.fileserver.texts import Export
from converge.items import Script
from converge.render import render
from converge.role import Role
from stacks.settings import ShareSettings
from stacks.settings.shares import SHARE_GIDS, gid_of

WRITTEN: Final[dict[str, Any]] = {"access": "read-write"}


def share(**settings: Any) -> ShareSettings:
    return ShareSettings.model_validate(settings)


def role_of(name: str, settings: Mapping[str, Any]) -> Role:
    return share_role(name, share(**settings), Export(f"nest/{name}", f"/nest/{name}", f"nest-{name}.mount"))


def scripts_of(name: str, settings: Mapping[str, Any]) -> Iterator[Script]:
    return (item for item in role_of(name, settings).items if isinstance(item, Script))


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({}, "0755"),
        ({"groups": ["a"]}, "0750"),
        (WRITTEN, "2775"),
        ({**WRITTEN, "groups": ["a"]}, "2770"),
        ({**WRITTEN, "groups": ["a"], "write_groups": ["b"]}, "2775"),
        ({**WRITTEN, "write_groups": ["b"]}, "2775"),
        ({**WRITTEN, "own_files": True}, "3775"),
        ({**WRITTEN, "groups": ["a"], "own_files": True}, "3770"),
    ],
)
def test_mode_lets_in_whoever_has_the_directory_and_no_other(settings: dict[str, Any], mode: str) -> None:
    assert mode_of(share(**settings)) == mode


def test_group_is_the_settings_or_follows_from_the_name() -> None:
    given = {"datasets": {}, "project": WRITTEN, "software": {"groups": ["a"], "gid": 2000}}
    found = (item for name, settings in given.items() for item in scripts_of(name, settings) if "owner" in item.name)
    owners = [item.check.splitlines()[-1] for item in found]
    assert owners == [
        "[[ $found == '0755 0 0' ]]",
        f"[[ $found == '2775 0 {gid_of('project')}' ]]",
        "[[ $found == '0750 0 2000' ]]",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a directory to a group that it is not in")
def test_directory_becomes_the_groups_and_everyones_again(tmp_path: Path) -> None:
    """Also back: a mode with fewer bits takes what the one before had."""
    for settings, found in (
        (WRITTEN, (0o2775, gid_of("x"))),
        ({**WRITTEN, "groups": ["a"], "own_files": True}, (0o3770, gid_of("x"))),
        ({"groups": ["a"], "gid": 2000}, (0o750, 2000)),
        ({}, (0o755, 0)),
    ):
        item = item_of(settings, tmp_path, "owner")
        assert run(item.check) != 0
        for _ in range(2):
            assert run(item.apply) == 0
            assert run(item.check) == 0
        now = tmp_path.stat()
        assert (stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid) == (found[0], 0, found[1])


def test_group_of_a_name_is_for_ever() -> None:
    """Another rule would take from people what they wrote."""
    assert gid_of("project") == 2147441442
    assert gid_of("project") in SHARE_GIDS
    assert gid_of("scratch") != gid_of("project")


def test_scripts_are_sound(faults: Callable[[str], str]) -> None:
    shares: dict[str, dict[str, Any]] = {
        "datasets": {},
        "project": WRITTEN,
        "my-data": {**WRITTEN, "own_files": True},
    }
    for name, settings in shares.items():
        assert faults(render(role_of(name, settings), "hen")) == ""


def item_of(settings: Mapping[str, Any], directory: Path, about: str) -> Script:
    """Return the item of this name, for a share in a test's directory."""
    (item,) = (item for item in scripts_of("x", settings) if about in item.name)
    return Script(item.name, *(text.replace("/nest/x", str(directory)) for text in (item.check, item.apply)))


def run(script: str) -> int:
    """Run a script with Debian's Python, as the machine does, where this computer has it."""
    environment = {"PATH": f"/usr/bin:/bin:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-euc", script], env=environment, check=False).returncode


def made_in(directory: Path) -> list[int]:
    """Return the modes of a file and a directory that a person with the usual umask makes."""
    made = [directory / f"{kind}-{len(list(directory.iterdir()))}" for kind in ("file", "directory")]
    subprocess.run(["sh", "-c", 'umask 022; echo >"$0"; mkdir "$1"', *made], check=True)
    return [stat.S_IMODE(each.stat().st_mode) for each in made]


def test_members_can_change_what_others_wrote_whatever_their_umask(tmp_path: Path) -> None:
    assert made_in(tmp_path) == [0o644, 0o755]
    for more, modes in (
        ({}, [0o664, 0o775]),
        ({"groups": ["a"]}, [0o660, 0o770]),
        ({"own_files": True}, [0o644, 0o755]),
    ):
        item = item_of({**WRITTEN, **more}, tmp_path, "inherit")
        assert run(item.check) != 0
        for _ in range(2):
            assert run(item.apply) == 0
            assert run(item.check) == 0
        assert made_in(tmp_path) == modes


def test_what_is_inherited_is_what_the_kernel_shows(tmp_path: Path) -> None:
    acl = default_acl(share(**WRITTEN))
    os.setxattr(tmp_path, DEFAULT_ACL, bytes.fromhex(acl))
    assert os.getxattr(tmp_path, DEFAULT_ACL).hex() == acl


def test_what_is_only_read_does_not_inherit_what_a_share_did_that_was_written(tmp_path: Path) -> None:
    item = item_of({}, tmp_path, "inherited")
    assert run(item.check) == 0
    for written in (WRITTEN, {**WRITTEN, "groups": ["a"]}):
        assert run(item_of(written, tmp_path, "inherit").apply) == 0
        assert run(item.check) != 0
        for _ in range(2):
            assert run(item.apply) == 0
            assert run(item.check) == 0
        assert made_in(tmp_path) == [0o644, 0o755]


def test_acl_of_an_administrator_stays_where_people_only_read(tmp_path: Path) -> None:
    of_hand = bytes.fromhex(default_acl(share(**WRITTEN)).replace("0700", "0500"))
    os.setxattr(tmp_path, DEFAULT_ACL, of_hand)
    assert run(item_of({}, tmp_path, "inherited").check) == 0


def test_share_is_dropped_while_the_state_protects_its_volume_or_its_claim() -> None:
    def resource(name: str, **rest: bool) -> dict[str, Any]:
        return {"urn": f"urn:pulumi:dev::henhouse::henhouse:storage:NfsFileserver$kubernetes:core/v1:X::{name}", **rest}

    state = [
        resource("homes-volume", protect=True),
        resource("homes-share-data-volume", protect=True),
        resource("homes-share-data-claim", protect=True),
        resource("homes-share-old-claim-claim", protect=True),
        resource("homes-share-unprotected-volume"),
        resource("homes-share-replaced-volume", protect=True, delete=True),
    ]
    assert dropped("homes", state, {"data"}) == ["old-claim"]
    assert dropped("homes", state, ()) == ["data", "old-claim"]
    assert dropped("homes", state, {"data", "old-claim", "another"}) == []
