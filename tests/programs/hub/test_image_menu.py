"""Which tags are in the menu, and the file that keeps them."""

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

from programs.hub.menu.image_menu import KINDS, Image, LastKnown, Menu, choices, choose, named, ranked, read_menu
from programs.hub.menu.menu_files import write_menu

DIGEST: Final = "sha256:" + "0a" * 32
MENU: Final = Menu("quay.io/team/lab", 1.5, (Image("r170", DIGEST),), Image("recommended", DIGEST))

UNDERSTOOD: Final = [
    ("d20261126", "daily", "Daily 2026-11-26"),
    ("d20240229", "daily", "Daily 2024-02-29"),
    ("w202648", "weekly", "Weekly 2026, week 48"),
    ("w202653", "weekly", "Weekly 2026, week 53"),
    ("r170", "release", "Release 17.0"),
    ("r009", "release", "Release 0.9"),
    ("r999", "release", "Release 99.9"),
    ("exp_d20261126", "experimental", "exp_d20261126"),
    ("exp", "experimental", "exp"),
]
PLAIN: Final = [
    *("d20261301", "d20260231", "d20230229", "d00000101", "d2026112", "d202611260", "d2026112a", "D20261126"),
    *("w202600", "w202554", "w202553", "w000001", "w2026", "w20264", "W202648", "xd20261126"),
    *("r17", "r1700", "r17.0", "R170", "r17a", "2026-10-05", "1.10.2", "EXP_1", "d_2026_11_26", "v1"),
    *("d\uff12\uff10\uff12\uff16\uff11\uff11\uff12\uff16", "r\uff11\uff17\uff10", "d20261126\n", "w202648 "),
]
"""No day, no week, no release: of no calendar, of another length or case, or digits that are not ASCII's."""
NO_TAGS: Final = [
    *("", ".hidden", "-x", "a" * 129, "d20261126\n", "w202648 ", "a\nb", "a/b", "a:b", "a@b", "<b>bold</b>"),
    *(
        '"><script>',
        "$(reboot)",
        "`id`",
        "a;b",
        "a|b",
        "a&b",
        "'",
        "d\uff12\uff10\uff12\uff16\uff11\uff11\uff12\uff16",
        "\uff52170",
        "a\x00b",
        "é",
        "%0a",
    ),
]
NO_IMAGES: Final = ["latest", "latest_weekly", "sha256-" + "a" * 64, "sha256-" + "a" * 64 + ".sig", "recommended"]


@pytest.mark.parametrize(("tag", "kind", "label"), UNDERSTOOD)
def test_tag_is_understood(tag: str, kind: str, label: str) -> None:
    assert (named(tag).kind, named(tag).label) == (kind, label)


@pytest.mark.parametrize("tag", PLAIN)
def test_other_tag_is_plain(tag: str) -> None:
    assert (named(tag).kind, named(tag).label) == ("plain", tag)


@pytest.mark.parametrize("tag", [*NO_TAGS, *NO_IMAGES])
def test_what_is_not_a_tag_or_not_an_image_is_in_no_menu(tag: str) -> None:
    for kind in KINDS:
        assert ranked([tag], kind, without="recommended") == []


@pytest.mark.parametrize(
    ("kind", "newest_first"),
    [
        ("daily", ["d20270101", "d20261231", "d20261201", "d20251231"]),
        ("weekly", ["w202701", "w202653", "w202609", "w202552"]),
        ("release", ["r181", "r180", "r179", "r009"]),
        ("experimental", ["exp_w202648", "exp_w202647", "exp_9", "exp"]),
        ("plain", ["2026-10-05", "2026-9-30", "1.10", "1.9.1", "1.9", "v2", "abc"]),
    ],
)
def test_newest_is_first(kind: str, newest_first: list[str]) -> None:
    others = ["r170", "w202648", "d20261126", "x"]
    mixed = [*sorted(newest_first), *(tag for tag in others if named(tag).kind != kind)]
    assert ranked(mixed, kind) == newest_first


def test_menu_is_the_newest_of_each_kind_and_the_recommended_one() -> None:
    tags = ["recommended", "latest", *(f"d202611{day:02}" for day in range(1, 27)), "w202646", "w202647", "w202648"]
    counts = {"daily": 3, "weekly": 2, "release": 1, "plain": 0}
    images, recommended = choose([*tags, "r170", "r180", "x"], counts, "recommended", lambda tag: f"digest of {tag}")
    assert [image.tag for image in images] == ["r180", "w202648", "w202647", "d20261126", "d20261125", "d20261124"]
    assert recommended == Image("recommended", "digest of recommended")


def test_tag_that_was_deleted_meanwhile_makes_room_for_the_next() -> None:
    gone = {"d20261126", "recommended"}
    tags = ["recommended", *(f"d202611{day:02}" for day in range(1, 27))]
    images, recommended = choose(tags, {"daily": 2}, "recommended", lambda tag: None if tag in gone else DIGEST)
    assert [image.tag for image in images] == ["d20261125", "d20261124"]
    assert recommended is None


def test_no_more_is_asked_for_than_the_menu_needs() -> None:
    asked: list[str] = []

    def gone(tag: str) -> None:
        asked.append(tag)

    tags = [f"{number}.0" for number in range(2000)]
    assert choose(tags, {"plain": 2, "daily": 3}, None, gone) == ((), None)
    assert len(asked) < 10


def test_recommended_is_offered_first_and_says_what_it_is() -> None:
    offered = choices(Menu("quay.io/team/lab", 0, (Image("r170", DIGEST), Image("x", DIGEST)), MENU.recommended))
    assert [each["key"] for each in offered] == ["recommended", "r170", "x"]
    assert [each["description"] for each in offered] == ["Release 17.0", "r170", ""]
    assert offered[0]["image"] == f"quay.io/team/lab:recommended@{DIGEST}"


def test_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_menu(tmp_path / "menu.json", MENU)
    assert read_menu(tmp_path / "menu.json", "quay.io/team/lab") == MENU
    assert [each.name for each in tmp_path.iterdir()] == ["menu.json"]


def test_menu_of_another_repository_is_not_offered(tmp_path: Path) -> None:
    write_menu(tmp_path / "menu.json", MENU)
    assert read_menu(tmp_path / "menu.json", "quay.io/team/other") is None


WHOLE: Final[dict[str, Any]] = {
    "repository": "quay.io/team/lab",
    "scanned": 1.5,
    "images": [{"tag": "r170", "digest": DIGEST}],
    "recommended": None,
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00" * 4096,
        json.dumps(WHOLE)[:-20],
        "[" * 100_000,
        "null",
        "[]",
        '"text"',
        "{}",
        json.dumps({**WHOLE, "scanned": "yesterday"}),
        json.dumps({**WHOLE, "images": None}),
        json.dumps({**WHOLE, "images": ["r170"]}),
        json.dumps({**WHOLE, "images": [{"tag": 170, "digest": DIGEST}]}),
        json.dumps({**WHOLE, "images": [{"tag": "r170\n", "digest": DIGEST}]}),
        json.dumps({**WHOLE, "images": [{"tag": "<b>", "digest": DIGEST}]}),
        json.dumps({**WHOLE, "images": [{"tag": "r170", "digest": "sha256:0a"}]}),
        json.dumps({**WHOLE, "images": [{"tag": "r170", "digest": f"{DIGEST}\n"}]}),
        json.dumps({**WHOLE, "recommended": "r170"}),
        json.dumps(WHOLE) + json.dumps(WHOLE),
        json.dumps({**WHOLE, "scanned": float("nan")}),
        json.dumps({**WHOLE, "scanned": float("inf")}),
        json.dumps({**WHOLE, "scanned": -1}),
        json.dumps({**WHOLE, "scanned": 1e300}),
        json.dumps({**WHOLE, "images": []}),
        json.dumps(WHOLE)[:-1] + " " * (2 << 20) + "}",
    ],
    ids=lambda text: text[:40],
)
def test_file_that_makes_no_sense_is_not_a_menu_and_takes_none_away(tmp_path: Path, text: str) -> None:
    path = tmp_path / "menu.json"
    known = LastKnown(path, "quay.io/team/lab")
    assert known.menu() is None
    write_menu(path, MENU)
    assert known.menu() == MENU
    path.write_text(text)
    assert read_menu(path, "quay.io/team/lab") is None
    assert known.menu() == MENU
    path.unlink()
    assert known.menu() == MENU


def test_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "menu.json"
    write_menu(path, MENU)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_menu(path, Menu("quay.io/team/lab", 2, ()))
    assert read_menu(path, "quay.io/team/lab") == MENU
    assert [each.name for each in tmp_path.iterdir()] == ["menu.json"]
