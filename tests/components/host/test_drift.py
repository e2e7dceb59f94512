"""Tokens: a difference on a machine becomes a difference of the plan, and only when asked for."""

from collections.abc import Iterator
from dataclasses import replace

import pulumi
import pytest

from components.host import drift
from components.host.probe import Applied, Difference, Seen

ROLE = Applied("chick0-a-command", "chick0", "a", "", "", {}, ": probe none")
OTHER = replace(ROLE, command="chick0-b-command", role="b")
FOUND = Difference("chick0", "a", "service x", "active", "inactive")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    drift._tokens.cache_clear()
    yield
    drift._tokens.cache_clear()


def test_only_a_role_that_differs_gets_a_token() -> None:
    assert list(drift.tokens(Seen((ROLE, OTHER), (FOUND,), ()))) == ["chick0-a-command"]


def test_token_is_the_same_in_the_preview_and_in_the_update() -> None:
    seen = Seen((ROLE,), (FOUND,), ())
    assert drift.tokens(seen) == drift.tokens(seen)


def test_same_difference_after_a_repair_is_a_new_token() -> None:
    first = drift.tokens(Seen((ROLE,), (FOUND,), ()))[ROLE.command]
    repaired = replace(ROLE, probe=f": probe {first}")
    assert drift.tokens(Seen((repaired,), (FOUND,), ()))[ROLE.command] != first


def test_without_the_variable_nothing_is_read_or_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "export", lambda stack: pytest.fail("the state was read"))
    monkeypatch.setattr(drift, "look", lambda roles: pytest.fail("a machine was asked"))
    assert drift.token("chick0-a-command") is None


@pytest.mark.parametrize(("value", "asked"), [("", False), ("0", False), ("1", True)])
def test_variable_says_yes_or_no(monkeypatch: pytest.MonkeyPatch, value: str, asked: bool) -> None:
    monkeypatch.setenv(drift.VARIABLE, value)
    assert drift.asked() is asked


def test_other_values_of_the_variable_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(drift.VARIABLE, "yes")
    with pytest.raises(pulumi.RunError, match="HENHOUSE_PROBE=yes: give 1"):
        drift.token("chick0-a-command")


def test_all_machines_are_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def look(roles: list[Applied]) -> Seen:
        asked.append(roles)
        return Seen((ROLE, OTHER), (), ())

    monkeypatch.setenv(drift.VARIABLE, "1")
    monkeypatch.setattr(drift, "export", lambda stack: {})
    monkeypatch.setattr(drift, "look", look)
    assert drift.token(ROLE.command) is None
    assert drift.token(OTHER.command) is None
    assert len(asked) == 1
