"""Homes are made whole or not at all, and no numeric id is given twice."""

import multiprocessing
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs.homes import store
from programs.homes.names import ACCOUNT_UIDS, ORGANIZATION_GIDS
from programs.homes.store import Home, Homes, NotAHome

FIRST = 100000

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="giving files away takes root")


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Homes]:
    made = Homes(str(tmp_path), FIRST)
    yield made
    made.close()


def test_home_belongs_to_its_owner_alone(homes: Homes, tmp_path: Path) -> None:
    home, new = homes.make("ada")
    found = (tmp_path / "ada").stat()
    assert (home, new) == (Home("ada", FIRST, FIRST), True)
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (FIRST, FIRST, 0o700)


def test_same_name_same_home(homes: Homes) -> None:
    first, _ = homes.make("ada")
    assert homes.make("ada") == (first, False)


def test_each_name_has_an_id_of_its_own(homes: Homes) -> None:
    assert [homes.make(name)[0].uid for name in ("ada", "bob", "cy")] == [FIRST, FIRST + 1, FIRST + 2]


def test_id_of_a_removed_home_is_not_given_again(homes: Homes, tmp_path: Path) -> None:
    homes.make("ada")
    (tmp_path / "ada").rmdir()
    assert homes.make("ada")[0].uid == FIRST + 1


def test_counter_that_was_lost_starts_above_every_home(homes: Homes, tmp_path: Path) -> None:
    homes.make("ada")
    os.chown(tmp_path / "ada", FIRST + 41, FIRST + 41)
    (tmp_path / store.COUNTER).unlink()
    assert homes.make("bob")[0].uid == FIRST + 42


@pytest.mark.parametrize("ids", [(FIRST + 1, FIRST + 1), (FIRST + 1, FIRST + 7), (FIRST + 7, FIRST + 1)])
def test_id_of_a_home_that_was_moved_here_is_not_given_again(
    homes: Homes, tmp_path: Path, ids: tuple[int, int]
) -> None:
    homes.make("ada")
    (tmp_path / "old").mkdir()
    os.chown(tmp_path / "old", *ids)
    assert homes.make("bob")[0].uid == FIRST + 2
    assert homes.make("cy")[0].uid == FIRST + 3


@pytest.mark.parametrize("text", ["", "ten\n", "-5\n", "100000", "99999999999\n"])
def test_counter_that_is_damaged_gives_nothing(homes: Homes, tmp_path: Path, text: str) -> None:
    (tmp_path / store.COUNTER).write_text(text)
    with pytest.raises(OSError, match=r"\.next-uid holds"):
        homes.make("ada")
    assert not (tmp_path / "ada").exists()


UID = ACCOUNT_UIDS.start + 583231
ADA = "https://github.com/ 583231"
BOB = "https://github.com/ 99"


def test_home_of_an_account_is_not_given_to_another(homes: Homes) -> None:
    home, new = homes.make("ada", ADA, UID)
    assert (home, new) == (Home("ada", UID, UID), True)
    assert homes.make("ada", ADA, UID) == (home, False)
    for other in (BOB, "https://gitlab.com/ 583231", None):
        with pytest.raises(NotAHome, match="ada belongs to another account"):
            homes.make("ada", other)


def test_home_from_before_accounts_is_handed_over_by_hand(homes: Homes, tmp_path: Path) -> None:
    before, _ = homes.make("ada")
    with pytest.raises(NotAHome, match=r"write 'https://github.com/ 583231' into \.accounts/ada"):
        homes.make("ada", ADA, UID)
    (tmp_path / ".accounts").mkdir()
    (tmp_path / ".accounts/ada").write_text(f"{ADA}\n")
    assert homes.make("ada", ADA, UID) == (before, False), "and keeps the id that its files have"


def test_next_person_of_a_name_gets_no_home_of_the_one_before(homes: Homes, tmp_path: Path) -> None:
    """A hub that keeps accounts names one where the name was another person's before."""
    before, _ = homes.make("ada")
    with pytest.raises(NotAHome, match=r"for who had this name before.*'native 01' into \.accounts/ada.*move it away"):
        homes.make("ada", "native 01")
    assert homes.make("ada") == (before, False), "the first one's stays theirs"
    (tmp_path / "ada").rename(tmp_path / "ada.old")
    second, new = homes.make("ada", "native 01")
    assert (second.uid != before.uid, new) == (True, True)
    for other in ("native 02", None):
        with pytest.raises(NotAHome, match="ada belongs to another account"):
            homes.make("ada", other)


def test_account_without_a_number_gets_the_next_id(homes: Homes) -> None:
    homes.make("ada", ADA, UID)
    assert homes.make("bob", BOB)[0].uid == FIRST


def test_home_that_was_moved_away_leaves_its_name_to_anybody(homes: Homes, tmp_path: Path) -> None:
    homes.make("ada", ADA, UID)
    (tmp_path / "ada").rename(tmp_path / "ada.old")
    assert homes.make("ada", ADA, UID) == (Home("ada", UID, UID), True), "a new one for the same person"
    (tmp_path / "ada").rmdir()
    assert homes.make("ada", BOB, UID + 1)[0].uid == UID + 1
    with pytest.raises(NotAHome, match="ada belongs to another account"):
        homes.make("ada", ADA, UID)
    (tmp_path / "ada").rmdir()
    homes.make("ada")
    with pytest.raises(NotAHome, match="ada was made before"):
        homes.make("ada", BOB)


def test_numbers_of_two_providers_are_not_one_person(homes: Homes) -> None:
    homes.make("ada", ADA, UID)
    with pytest.raises(NotAHome, match=f"{UID}, is that of ada"):
        homes.make("bob", "https://github.example.org/ 583231", UID)


def test_person_who_is_renamed_keeps_the_id(homes: Homes) -> None:
    homes.make("ada", ADA, UID)
    assert homes.make("ada2", ADA, UID)[0].uid == UID


def test_people_cannot_see_whose_home_is_whose(homes: Homes, tmp_path: Path) -> None:
    homes.make("ada", ADA, UID)
    assert stat.S_IMODE((tmp_path / ".accounts").stat().st_mode) == 0o700


def test_link_is_not_followed_to_an_account(homes: Homes, tmp_path: Path) -> None:
    homes.make("ada", ADA, UID)
    (tmp_path / ".accounts/ada").rename(tmp_path / "elsewhere")
    (tmp_path / ".accounts/ada").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        homes.make("ada", ADA)


def test_counter_does_not_give_the_ids_of_accounts(homes: Homes, tmp_path: Path) -> None:
    homes.make("ada", ADA, UID)
    (tmp_path / store.COUNTER).unlink(missing_ok=True)
    assert homes.make("bob")[0].uid == FIRST
    (tmp_path / store.COUNTER).write_text(f"{ACCOUNT_UIDS.start}\n")
    with pytest.raises(OSError, match="all numeric user ids"):  # those above are of organizations and shares
        homes.make("cy")


def test_site_whose_ids_begin_above_those_of_accounts_keeps_counting_there(tmp_path: Path) -> None:
    homes = Homes(str(tmp_path), ACCOUNT_UIDS.stop + 7)
    assert [homes.make(name)[0].uid for name in ("ada", "bob")] == [ACCOUNT_UIDS.stop + 7, ACCOUNT_UIDS.stop + 8]
    (tmp_path / store.COUNTER).unlink()
    assert homes.make("cy")[0].uid == ACCOUNT_UIDS.stop + 9


@pytest.mark.parametrize("uid", [1_234_600_500, 2**32 - 2, 65534, ACCOUNT_UIDS.start + 5])
def test_lost_counter_does_not_start_at_a_number_of_another_system(homes: Homes, tmp_path: Path, uid: int) -> None:
    """Of SSSD, whose numbers begin above 2**30, or the one that owns nothing."""
    (tmp_path / "old").mkdir()
    os.chown(tmp_path / "old", uid, uid)
    assert homes.make("ada")[0].uid == FIRST


def test_account_is_not_given_a_number_that_another_home_has_as_its_group(homes: Homes, tmp_path: Path) -> None:
    homes.make("bob", "https://github.com 8", ACCOUNT_UIDS.start + 8)
    os.chown(tmp_path / "bob", ACCOUNT_UIDS.start + 8, UID)
    with pytest.raises(store.NotAHome, match="belongs to another account"):
        homes.make("ada", ADA, UID)


@pytest.mark.parametrize("first", [FIRST, 1_234_600_000], ids=["counted", "of SSSD"])
def test_home_that_its_owner_gave_to_a_group_of_several_is_still_theirs(tmp_path: Path, first: int) -> None:
    """Otherwise they would be in that group after they have left it, or could not come in any more."""
    homes = Homes(str(tmp_path), first)
    ada, _ = homes.make("ada")
    organization = ORGANIZATION_GIDS.start + 42
    for group, own in ((100, ada.uid), (FIRST - 1, ada.uid), (organization, ada.uid), (first + 500, first + 500)):
        os.chown(tmp_path / "ada", ada.uid, group)
        assert homes.make("ada") == (Home("ada", ada.uid, own), False), group


def test_home_that_is_moved_away_meanwhile_does_not_count(
    homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = os.listdir
    monkeypatch.setattr(os, "listdir", lambda where: ["gone", *there(where)])
    assert homes.make("ada")[0].uid == FIRST


def test_ids_of_the_system_are_skipped(tmp_path: Path) -> None:
    homes = Homes(str(tmp_path), 1000)
    (tmp_path / store.COUNTER).write_text("60000\n")
    assert homes.make("ada")[0].uid == 65536
    assert homes.make("bob")[0].uid == 65537


def test_ids_end_before_they_wrap(homes: Homes, tmp_path: Path) -> None:
    (tmp_path / store.COUNTER).write_text(f"{store.LAST_UID + 1}\n")
    with pytest.raises(OSError, match="all numeric user ids"):
        homes.make("ada")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".next-uid", ".making-ada", "Ada", "a/b", "../etc", "a b", "a\n", "ä", "-a", "a" * 64, "a\0b"],
)
def test_names_that_are_refused(homes: Homes, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        homes.make(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "0", "ada.lovelace", "ada-2d", "a_b", "a" * 63])
def test_names_that_are_taken(homes: Homes, tmp_path: Path, name: str) -> None:
    homes.make(name)
    assert (tmp_path / name).is_dir()


def test_link_is_not_a_home(homes: Homes, tmp_path: Path) -> None:
    (tmp_path / "ada").symlink_to("/etc")
    with pytest.raises(NotAHome, match="ada is not a directory"):
        homes.make("ada")


def test_directory_of_root_is_not_a_home(homes: Homes, tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    with pytest.raises(NotAHome, match=r"ada belongs to 0,.*begin at 100000"):
        homes.make("ada")


def test_interrupted_making_leaves_no_home_and_no_id_behind(
    homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*_: object, **__: object) -> None:
        raise InterruptedError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(os, "chown", power_cut)
        with pytest.raises(InterruptedError):
            homes.make("ada")
    assert not (tmp_path / "ada").exists()
    homes.tidy()
    assert [entry.name for entry in tmp_path.iterdir()] == [store.COUNTER]
    assert homes.make("ada") == (Home("ada", FIRST + 1, FIRST + 1), True)


def test_homes_stay_in_the_file_system_they_were_opened_in(tmp_path: Path) -> None:
    """The directory's name may come to mean the empty mount point; the object keeps the directory."""
    (tmp_path / "mounted").mkdir()
    homes = Homes(str(tmp_path / "mounted"), FIRST)
    (tmp_path / "mounted").rename(tmp_path / "moved")
    (tmp_path / "mounted").mkdir()
    homes.make("ada")
    assert (tmp_path / "moved" / "ada").is_dir()
    assert list((tmp_path / "mounted").iterdir()) == []


def _make_many(root: str, names: list[str], answers: "multiprocessing.Queue[tuple[str, int]]") -> None:
    homes = Homes(root, FIRST)
    for name in names:
        answers.put((name, homes.make(name)[0].uid))


def test_two_processes_never_give_one_id_twice(tmp_path: Path) -> None:
    shared = [f"shared{number}" for number in range(40)]
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[tuple[str, int]] = context.Queue()
    provisioners = [
        context.Process(target=_make_many, args=(str(tmp_path), order, answers))
        for order in ([*shared, *(f"a{n}" for n in range(40))], [*reversed(shared), *(f"b{n}" for n in range(40))])
    ]
    for provisioner in provisioners:
        provisioner.start()
    given = [answers.get(timeout=30) for _ in range(160)]
    for provisioner in provisioners:
        provisioner.join(timeout=30)
        assert provisioner.exitcode == 0
    by_name: dict[str, set[int]] = {}
    for name, uid in given:
        by_name.setdefault(name, set()).add(uid)
    assert all(len(uids) == 1 for uids in by_name.values())
    assert sorted(uid for uids in by_name.values() for uid in uids) == list(range(FIRST, FIRST + 120))
