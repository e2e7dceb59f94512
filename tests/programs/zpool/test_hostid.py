"""Whose pool it is: a machine that was reinstalled gets its pool back, and another machine's is refused."""

from pathlib import Path

import pytest

from programs.zpool import hostid
from programs.zpool.disks import Label, Refusal

GUID = "14894520421478297340"


def label(state: int = 0, *, host: str = "hen", hostid: int = 0x1234, txg: int = 10, guid: str = GUID) -> Label:
    return Label(state, "nest", guid, host, hostid, txg)


def needed(*labels: Label, own: int = 0x77, name: str = "hen", imported: tuple[str, ...] = ()) -> int | None:
    return hostid.to_take_back(labels, GUID, own, name, imported)


@pytest.mark.parametrize("own", [0, 0x77])
@pytest.mark.parametrize(("then", "now"), [("hen", "hen"), ("hen.example.org", "hen"), ("hen", "hen.example.org")])
def test_reinstalled_machine_takes_its_hostid_back(then: str, now: str, own: int) -> None:
    assert needed(label(host=then), own=own, name=now) == 0x1234


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([label(1)], id="exported"),
        pytest.param([label(1, host="goose")], id="exported elsewhere"),
        pytest.param([label(hostid=0x77)], id="by this installation"),
        pytest.param([label(hostid=0x77, host="goose")], id="by this installation, under another name"),
        pytest.param([label(hostid=0)], id="by a machine without a hostid"),
        pytest.param([label(host="goose", guid="1")], id="another pool's disk"),
        pytest.param([label(host="goose", txg=1), label(1, txg=9)], id="exported since; one disk was away"),
    ],
)
def test_pool_that_no_other_machine_has_is_imported_as_it_is(labels: list[Label]) -> None:
    assert needed(*labels) is None


@pytest.mark.parametrize("host", ["goose", "", "hen.example.com"])
def test_pool_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(Refusal) as refused:
        needed(label(host=host), name="hen.example.org")
    for words in (
        f"by {host or 'an unknown host'} (hostid 00001234)",
        "this is hen",
        "zpool export nest",
        GUID,
    ):
        assert words in str(refused.value)


def test_newest_label_tells_who_had_the_pool() -> None:
    with pytest.raises(Refusal, match="goose"):
        needed(label(), label(host="goose", txg=11, hostid=0x99))


def test_hostid_under_which_another_pool_is_imported_stays() -> None:
    with pytest.raises(Refusal, match=r"under which tank is imported\. Export that first"):
        needed(label(), imported=("tank",))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(hostid, "FILE", tmp_path / "hostid")
    monkeypatch.setattr(hostid, "OVERRIDE", tmp_path / "spl_hostid")
    return tmp_path


def test_hostid_is_the_file_that_zgenhostid_writes(files: Path) -> None:
    assert hostid.current() == 0
    hostid.take(0xDEADBEEF)
    # zgenhostid deadbeef, on a little-endian machine
    assert (files / "hostid").read_bytes() == b"\xef\xbe\xad\xde"
    assert hostid.current() == 0xDEADBEEF
    (files / "hostid").write_bytes(b"short")
    assert hostid.current() == 0


def test_parameter_of_the_module_counts_more_and_is_not_changed(files: Path) -> None:
    (files / "spl_hostid").write_text("0\n")
    hostid.take(5)
    assert hostid.current() == 5
    (files / "spl_hostid").write_text("4660\n")
    assert hostid.current() == 0x1234
    with pytest.raises(Refusal, match="spl_hostid"):
        hostid.take(5)
