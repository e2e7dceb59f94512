"""`ops repair`: what follows from what, what is held back, and what people are told. tests/engine/ has it done."""

import io
from typing import Any

import pytest
from rich.console import Console

from converge.report import Difference, NotChecked
from converge.state import COMMAND, AppliedRole
from ops.commands import repair
from ops.commands.repair import Outcome
from ops.exits import Exit
from ops.repairs import Left, Plan, failures, followers, unreachable
from ops.sight import Sight

LOADED, KEPT, AFTER, PROVIDER, MAP = (f"urn:pulumi:dev::henhouse::t::{name}" for name in "abcde")
FOUND = Difference("chick0", "a", "file /x", "one", "two", LOADED)


def resource(urn: str, kind: str = COMMAND, **needs: list[str]) -> dict[str, Any]:
    return {"urn": urn, "type": kind, "propertyDependencies": needs, "dependencies": [LOADED]}


def sight(*differences: Difference, unseen: tuple[NotChecked, ...] = ()) -> Sight:
    roles = (
        AppliedRole("a", "chick0", "a", "", "", {}, "", LOADED),
        AppliedRole("b", "chick1", "b", "", "", {}, "", KEPT),
    )
    return Sight({}, roles, (), differences, unseen)


def test_commands_that_are_given_a_fact_follow() -> None:
    """Order alone (`dependencies`) is not a reason, and what is not a command is not run on a machine."""
    resources = [
        resource(LOADED),
        resource(KEPT, create=[LOADED]),
        resource(AFTER, stdin=[KEPT]),
        resource(PROVIDER, "pulumi:providers:kubernetes", kubeconfig=[LOADED]),
        resource("urn:other", create=["urn:else"]),
    ]
    assert followers({"deployment": {"resources": resources}}, LOADED) == (KEPT, AFTER)


def test_machine_that_does_not_answer_is_given_nothing() -> None:
    assert unreachable(sight(unseen=(NotChecked("chick1", "b", "no answer in time"),))) == {KEPT}


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ({LOADED: "update"}, "1 resource differs because the program or the settings changed"),
        (
            {LOADED: "update", MAP: "create"},
            "2 resources differ because the program or the settings changed "
            "(or a repair was cut short); `pulumi up` applies them: a (update), e (create)",
        ),
    ],
)
def test_edits_are_counted_and_named(edits: dict[str, str], said: str) -> None:
    assert repair.sentence(edits).startswith(said)


@pytest.mark.parametrize(
    ("now", "left", "status"),
    [
        (sight(), (), Exit.SAME),
        (sight(FOUND), (), Exit.DIFFERENT),
        (sight(), (Left(KEPT, "it could not be updated"),), Exit.DIFFERENT),
        (sight(FOUND, unseen=(NotChecked("chick1", "b", "off"),)), (), Exit.UNSEEN),
    ],
)
def test_exit_status(now: Sight, left: tuple[Left, ...], status: Exit) -> None:
    assert Outcome(sight(FOUND), Plan((LOADED,), (), {}, {}), now, left).status == status


def test_what_is_left_is_named_with_its_reason() -> None:
    out = io.StringIO()
    made = Plan((KEPT,), (), {LOADED: "the program or the settings changed it too"}, {LOADED: "update"})
    outcome = Outcome(sight(FOUND), made, sight(FOUND), (Left(KEPT, "it could not be updated"),))
    repair.show(outcome, Console(file=out, width=200))
    for said in ("the program or the settings changed it too", "it could not be updated", "1 resource differs"):
        assert said in out.getvalue()
    assert outcome.as_data()["left"] == [{"resource": "b", "reason": "it could not be updated"}]


def test_what_was_not_looked_at_before_is_named_at_once_and_at_the_end() -> None:
    """A machine that was busy at the first look and answers at the last was not repaired, and nothing failed."""
    before, later = io.StringIO(), Difference("chick1", "b", "file /y", "one", "two", KEPT)
    found = sight(FOUND, unseen=(NotChecked("chick1", "b", "no answer in time"),))
    made = Plan((LOADED,), (), {}, {})
    repair.show_plan(found, made, Console(file=before, width=200))
    assert "no answer in time" in before.getvalue()
    outcome, out = Outcome(found, made, sight(later)), io.StringIO()
    repair.show(outcome, Console(file=out, width=200))
    assert "could not be looked at before the repair" in out.getvalue()
    assert outcome.as_data()["not_seen_before"] == [{"machine": "chick1", "role": "b", "reason": "no answer in time"}]
    assert outcome.status == Exit.DIFFERENT


def test_what_failed_is_read_from_what_the_engine_printed() -> None:
    idle = "urn:pulumi:lab::henhouse::henhouse:app:Hub$kubernetes:apps/v1:Deployment::idle"
    said = [
        " ~  kubernetes:apps/v1:Deployment idle updating (0s) [diff: ~spec]; error: 1 error occurred:\n",
        " ~  kubernetes:apps/v1:Deployment idle **updating failed** [diff: ~spec]; error: 1 error occurred:\n",
        "    pulumi:pulumi:Stack henhouse-lab **failed** 1 error\n",
    ]
    assert failures(said, [idle, idle.replace("idle", "other"), LOADED]) == {idle}
    assert failures(said[:1], [idle]) == frozenset()
