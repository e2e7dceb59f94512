"""How long is left, by the table and by how it goes."""

import pytest

from engine.build import CLI
from lab.cache import missing
from lab.estimate import Estimate, about, weights
from lab.lifecycle import artifacts
from lab.rack import RACKS, parse_rack
from quickstart.up import LOGIN_PAGE, STACK_AGAIN, STACK_FROM_NOTHING


def test_before_anything_it_is_what_the_table_says() -> None:
    assert Estimate({"a": 100, "b": 200}, now=0).left(0) == 300


def test_what_goes_as_the_table_says_leaves_the_rest() -> None:
    estimate = Estimate({"a": 100, "b": 200}, now=0)
    estimate.begin("a", 0)
    assert estimate.left(50) == pytest.approx(250)
    estimate.end("a", 100)
    assert estimate.left(100) == pytest.approx(200)


def test_a_computer_half_as_fast_takes_longer() -> None:
    estimate = Estimate({"a": 600, "b": 600}, now=0)
    estimate.begin("a", 0)
    estimate.end("a", 1200)
    assert 1000 < estimate.left(1200) <= 1200


def test_stages_side_by_side_share_the_time() -> None:
    estimate = Estimate({"a": 50, "b": 50}, now=0)
    estimate.begin("a", 0)
    estimate.begin("b", 0)
    estimate.end("a", 100)
    estimate.end("b", 100)
    assert estimate.shares == {"a": 50, "b": 50}
    assert estimate.left(100) == 0


def test_a_stage_that_takes_longer_than_ever_is_not_over() -> None:
    estimate = Estimate({"a": 10}, now=0)
    estimate.begin("a", 0)
    assert estimate.left(1000) > 0


def test_numbers_are_in_the_order_of_beginning() -> None:
    estimate = Estimate({"a": 1, "b": 1}, now=0)
    assert [estimate.begin("b", 0), estimate.begin("a", 0)] == [1, 2]
    assert estimate.total == 2


@pytest.mark.parametrize(("seconds", "words"), [(3, "less than a minute"), (61, "about 1 min"), (1490, "about 25 min")])
def test_words(seconds: float, words: str) -> None:
    assert about(seconds) == words


def test_every_stage_of_a_first_make_up_has_a_weight(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the table holds nothing else."""
    empty = tmp_path_factory.mktemp("empty")
    monkeypatch.setenv("HENHOUSE_CACHE", str(empty / "cache"))
    monkeypatch.setenv("HENHOUSE_STATE", str(empty / "state"))
    # By another name: the rack `dev` may be up on this computer.
    rack = parse_rack("nowhere", (RACKS / "dev.toml").read_text())
    kinds = {f"{verb}-{spec.kind}" for spec in rack.machines for verb in ("install", "boot")}
    built = {artifact.name for artifact in missing((*artifacts(rack), CLI))}
    assert weights().keys() == {"packages", *built, *kinds, STACK_FROM_NOTHING, STACK_AGAIN, LOGIN_PAGE}
