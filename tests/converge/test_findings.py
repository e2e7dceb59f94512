"""Tokens: a difference on a machine becomes a difference of the plan, and only when asked for."""

from dataclasses import replace

import pulumi
import pytest

from converge import findings
from converge.probe import ProbeResult
from converge.report import Difference
from converge.stack import StackClient
from converge.state import AppliedRole

ROLE = AppliedRole("chick0-a-command", "chick0", "a", "", "", {}, ": probe none")
OTHER = replace(ROLE, command="chick0-b-command", role="b")
FOUND = Difference("chick0", "a", "service x", "active", "inactive")


def test_only_a_role_that_differs_gets_a_token() -> None:
    assert list(findings.tokens(ProbeResult((ROLE, OTHER), (FOUND,), ()))) == ["chick0-a-command"]


def test_token_is_the_same_in_the_preview_and_in_the_update() -> None:
    seen = ProbeResult((ROLE,), (FOUND,), ())
    assert findings.tokens(seen) == findings.tokens(seen)


def test_same_difference_after_a_repair_is_a_new_token() -> None:
    first = findings.tokens(ProbeResult((ROLE,), (FOUND,), ()))[ROLE.command]
    repaired = replace(ROLE, probe=f": probe {first}")
    assert findings.tokens(ProbeResult((repaired,), (FOUND,), ()))[ROLE.command] != first


def test_without_the_variable_nothing_is_read_or_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StackClient, "export", lambda self: pytest.fail("the state was read"))
    monkeypatch.setattr(findings, "probe", lambda roles: pytest.fail("a machine was asked"))
    assert findings.probe_if_requested() == {}


@pytest.mark.parametrize(("value", "requested"), [("", False), ("0", False), ("1", True)])
def test_variable_says_yes_or_no(monkeypatch: pytest.MonkeyPatch, value: str, requested: bool) -> None:
    monkeypatch.setenv(findings.VARIABLE, value)
    assert findings.requested() is requested


def test_other_values_of_the_variable_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(findings.VARIABLE, "yes")
    with pytest.raises(pulumi.RunError, match="HENHOUSE_PROBE=yes: give 1"):
        findings.probe_if_requested()


def test_asked_for_it_looks_at_every_role_of_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    async def probe(roles: list[AppliedRole]) -> ProbeResult:
        return ProbeResult((ROLE, OTHER), (FOUND,), ())

    monkeypatch.setenv(findings.VARIABLE, "1")
    monkeypatch.setattr(StackClient, "export", lambda self: {})
    monkeypatch.setattr(findings, "probe", probe)
    assert list(findings.probe_if_requested()) == [ROLE.command]
