"""What servers start with after the settings named a new image."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from components.apps.hub.images import DEFAULT_FILE
from programs.hub.default_image import LATEST_SECONDS, Default, following, following_each, read_default, write_default
from stacks.settings import Site
from tests.programs.hub.asking import ask, site
from tests.stacks.test_fragments import parsed, written

OLDER: Final = "quay.io/team/lab:0"
OLD, NEW, NEWER = "quay.io/team/lab:1", "quay.io/team/lab:2", "quay.io/team/lab:3"
LATE: Final = LATEST_SECONDS + 1


@pytest.mark.parametrize(
    ("known", "wanted", "nodes_have", "now", "image"),
    [
        # A hub that starts for the first time, or after an upgrade: nothing is known to stay with.
        (None, NEW, [], 0, NEW),
        (None, NEW, [False, False], 0, NEW),
        # All is as it was.
        (Default(OLD, OLD, 0), OLD, [True], 5, OLD),
        (Default(OLD, OLD, 0), OLD, [False], LATE, OLD),
        # The settings name a new one.
        (Default(OLD, OLD, 0), NEW, [False, False], 5, OLD),
        (Default(OLD, NEW, 0), NEW, [True, False], 5, OLD),
        (Default(OLD, NEW, 0), NEW, [True, True], 5, NEW),
        (Default(OLD, OLD, 0), NEW, [True, True], 5, NEW),
        # No node takes servers: none starts, and nothing is known of the image.
        (Default(OLD, NEW, 0), NEW, [], 5, OLD),
        (Default(OLD, NEW, 0), NEW, [], LATE, OLD),
        # One node cannot pull it; or none can.
        (Default(OLD, NEW, 0), NEW, [True, False], LATE, NEW),
        (Default(OLD, NEW, 0), NEW, [False, False], LATE, OLD),
        # Another edit before the first was through, and one that takes it back. The hour begins again.
        (Default(OLD, NEW, 0), NEWER, [True, False], LATE, OLD),
        (Default(OLD, NEW, 0), OLD, [True, True], 5, OLD),
        (Default(OLD, NEW, 0), OLD, [False, True], 5, OLD),
    ],
)
def test_new_image_is_used_once_the_nodes_have_it(
    known: Default | None, wanted: str, nodes_have: list[bool], now: float, image: str
) -> None:
    found = following(known, wanted, nodes_have, now)
    assert (found.image, found.wanted) == (image, wanted)


def test_hour_counts_from_the_edit() -> None:
    known: Default | None = Default(OLD, OLD, 0)
    for now in (100.0, 2000.0, 100 + LATEST_SECONDS):
        known = following(known, NEW, [True, False], now)
        assert known == Default(OLD, NEW, 100)
    assert following(known, NEW, [True, False], 101 + LATEST_SECONDS).image == NEW


@pytest.mark.parametrize(
    ("nodes_have", "now", "lab", "gpu"),
    [
        # Each profile waits for the nodes on which its servers run, and for no other.
        ({"lab": {"a": True, "b": True}, "gpu": {"c": False}}, 5, NEW, OLD),
        ({"lab": {"a": True, "b": False}, "gpu": {"c": True}}, 5, OLD, NEW),
        ({"lab": {"a": True}, "gpu": {"a": True, "c": True}}, 5, NEW, NEW),
        # A node that is off is none: its profile stays with what it has.
        ({"lab": {"a": True}, "gpu": {}}, 5, NEW, OLD),
        # After an hour, too, one of its own nodes has to have it.
        ({"lab": {"a": False, "b": False}, "gpu": {"c": True}}, LATE, OLD, NEW),
        ({"lab": {"a": True, "b": False}, "gpu": {"c": False}}, LATE, NEW, OLD),
        # Where no profile uses it, there is nothing to wait for.
        ({}, 5, NEW, NEW),
    ],
)
def test_each_profile_waits_for_its_own_nodes(
    tmp_path: Path, nodes_have: dict[str, dict[str, bool]], now: float, lab: str, gpu: str
) -> None:
    found = following_each(Default(OLD, NEW, 0), NEW, nodes_have, now)
    assert (found.of("lab"), found.of("gpu"), found.wanted, found.since) == (lab, gpu, NEW, 0)
    assert following_each(found, NEW, nodes_have, now) == found
    write_default(tmp_path / "default", found)
    assert read_default(tmp_path / "default") == found


def test_profile_that_waits_keeps_what_it_has_when_yet_another_is_named() -> None:
    known = Default(NEW, NEW, 0, {"gpu": OLD})
    found = following_each(known, NEWER, {"lab": {"a": False}, "gpu": {"c": False}}, 5)
    assert (found.of("lab"), found.of("gpu"), found.wanted, found.since) == (NEW, OLD, NEWER, 5)
    both = following_each(found, NEWER, {"lab": {"a": True}, "gpu": {"c": True}}, 6)
    assert both == Default(NEWER, NEWER, 5)


def test_file_of_before_profiles_is_read(tmp_path: Path) -> None:
    (tmp_path / "default").write_text(json.dumps({"image": OLD, "wanted": NEW, "since": 7}))
    assert read_default(tmp_path / "default") == Default(OLD, NEW, 7)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '{"image": "x"}', '{"image": "x", "wanted": "", "since": "?"}'),
        '{"image": "x", "wanted": "y", "since": 1, "profiles": ["gpu"]}',
    ],
)
def test_file_that_is_broken_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "default").write_text(text)
    assert read_default(tmp_path / "default") is None
    assert read_default(tmp_path / "missing") is None


def test_file_holds_what_was_written(tmp_path: Path) -> None:
    write_default(tmp_path / "default", Default(OLD, NEW, 7))
    assert read_default(tmp_path / "default") == Default(OLD, NEW, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["default"]


PROFILES: Final = [
    {"slug": "lab", "display_name": "Lab", "default": True},
    {"slug": "r", "display_name": "R", "kubespawner_override": {"image": "quay.io/team/r:4.5"}},
]


def images(directory: Path, of: Site, *forms: dict[str, Any]) -> list[str]:
    """Return the images of servers that start one after another."""
    found = ask(directory, "starts", "ada", "[]", *(json.dumps(form or {"api": {}}) for form in forms), of=of)
    return [start["pod"]["spec"]["containers"][0]["image"] for start in found]


@pytest.mark.programs
def test_servers_start_with_the_image_before_until_the_nodes_have_the_new_one(tmp_path: Path) -> None:
    of = site(server_image=NEW, prePuller={}, profile_list=PROFILES)
    write_default(tmp_path / DEFAULT_FILE, Default(OLD, OLD, 0))
    chosen = [{"profile": ["lab"]}, {"profile": ["r"]}]
    assert images(tmp_path, of, *chosen) == [OLD, "quay.io/team/r:4.5"]


@pytest.mark.programs
def test_profile_whose_nodes_lack_the_new_image_starts_with_the_one_before(tmp_path: Path) -> None:
    profiles = [*PROFILES, {"slug": "gpu", "display_name": "GPU"}]
    of = site(server_image=NEW, prePuller={}, profile_list=profiles)
    write_default(tmp_path / DEFAULT_FILE, Default(NEW, NEW, 0, {"gpu": OLD, "r": OLDER}))
    chosen: list[dict[str, Any]] = [*({"profile": [slug]} for slug in ("gpu", "lab", "r")), {"api": {}}]
    assert images(tmp_path, of, *chosen) == [OLD, NEW, "quay.io/team/r:4.5", NEW]


@pytest.mark.programs
def test_profile_that_is_chosen_by_default_starts_with_its_own(tmp_path: Path) -> None:
    of = site(server_image=NEW, prePuller={}, profile_list=PROFILES)
    write_default(tmp_path / DEFAULT_FILE, Default(NEW, NEW, 0, {"lab": OLD}))
    assert images(tmp_path, of, {"api": {}}) == [OLD]


@pytest.mark.programs
def test_image_that_a_hook_of_the_sites_sets_stays(tmp_path: Path) -> None:
    fragment = (
        "from henhouse_hub import c\n\n\n"
        'def choose(spawner, options):\n    spawner.image = "quay.io/team/course:1"\n\n\n'
        "c.Spawner.apply_user_options = choose\n"
    )
    written(tmp_path / "stack", {"90-course.py": fragment})
    of = parsed(tmp_path / "stack", server_image=NEW, prePuller={}, fragments="site/fragments")
    hub = tmp_path / "hub"
    hub.mkdir()
    write_default(hub / DEFAULT_FILE, Default(OLD, OLD, 0))
    assert images(hub, of, {}) == ["quay.io/team/course:1"]


@pytest.mark.programs
@pytest.mark.parametrize("known", [None, Default(NEW, NEW, 0)], ids=["nothing is known", "they have it"])
def test_servers_start_with_the_new_image(tmp_path: Path, known: Default | None) -> None:
    if known:
        write_default(tmp_path / DEFAULT_FILE, known)
    assert images(tmp_path, site(server_image=NEW, prePuller={}), {}) == [NEW]


@pytest.mark.programs
@pytest.mark.parametrize(
    "off", [{"prePuller": {part: {"enabled": False}}} for part in ("continuous", "hook")], ids=["no pulls", "no hook"]
)
def test_where_nothing_waits_the_image_in_use_is_remembered(tmp_path: Path, off: dict[str, Any]) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    write_default(before / DEFAULT_FILE, Default("quay.io/team/older:1", "quay.io/team/older:1", 0))
    assert images(before, site(server_image=OLD, **off), {}) == [OLD]
    (before / DEFAULT_FILE).rename(after / DEFAULT_FILE)
    assert images(after, site(server_image=NEW, prePuller={}), {}) == [OLD], "the first edit that lets one wait"


@pytest.mark.programs
def test_disk_that_takes_no_file_does_not_hold_up_the_hub(tmp_path: Path) -> None:
    (tmp_path / DEFAULT_FILE).mkdir()
    assert images(tmp_path, site(server_image=NEW), {}) == [NEW]


@pytest.mark.programs
@pytest.mark.parametrize("name", [OLD, f"{OLD}@sha256:{'0a' * 32}"])
def test_image_that_machines_remove_is_not_waited_with(tmp_path: Path, name: str) -> None:
    """It would be pulled again, and by the next start, too, where no node can pull the new one."""
    write_default(tmp_path / DEFAULT_FILE, Default(name, name, 0))
    assert images(tmp_path, site(server_image=NEW, prePuller={}, images_to_remove=[name]), {}) == [NEW]


@pytest.mark.programs
def test_image_of_one_profile_that_machines_remove_is_not_waited_with(tmp_path: Path) -> None:
    write_default(tmp_path / DEFAULT_FILE, Default(NEW, NEW, 0, {"lab": OLD}))
    of = site(server_image=NEW, prePuller={}, profile_list=PROFILES, images_to_remove=[OLD])
    assert images(tmp_path, of, {"profile": ["lab"]}) == [NEW]
