"""`ops drift`: its table, its data, its exit status, and what it tells people to do."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from converge import probe
from converge.probe import ProbeResult
from converge.report import Difference, NotChecked
from converge.stack import StackClient, StateError
from converge.state import AppliedRole
from ops.__main__ import FAULT, main, parser
from ops.commands import drift
from ops.exits import Exit
from ops.sight import Sight

ROLE = AppliedRole("chick0-a-command", "chick0", "a", "", "", {}, ": probe none")
ON_MACHINE = Difference("chick0", "swap-off", "line of /etc/fstab", "no [active] line", "LABEL=swap none swap")
IN_CLUSTER = Difference("cluster", "Service", "hub/hub spec.type", "ClusterIP", "NodePort")
DEAD = NotChecked("chick1", "base", "198.18.0.101 port 22: no answer in time")


def shown(differences: list[Difference], unseen: list[NotChecked]) -> str:
    out = io.StringIO()
    drift.show(Sight({}, (ROLE,), (), tuple(differences), tuple(unseen)), Console(file=out, width=160))
    return out.getvalue()


def ran(
    monkeypatch: pytest.MonkeyPatch, found: list[Any], capsys: pytest.CaptureFixture[str], *, as_json: bool = False
) -> tuple[Exit, str]:
    async def look(roles: list[AppliedRole]) -> ProbeResult:
        differences = tuple(each for each in found if isinstance(each, Difference))
        return ProbeResult((ROLE,), differences, tuple(each for each in found if isinstance(each, NotChecked)))

    monkeypatch.setattr(StackClient, "export", lambda self: {})
    monkeypatch.setattr(probe, "probe", look)
    status = drift.run(parser().parse_args(["drift", "--stack", "dev", *(["--json"] if as_json else [])]))
    return status, capsys.readouterr().out


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ([], Exit.SAME),
        ([ON_MACHINE], Exit.DIFFERENT),
        ([DEAD], Exit.UNSEEN),
        ([ON_MACHINE, DEAD], Exit.UNSEEN),
    ],
)
def test_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: list[Any], status: Exit
) -> None:
    assert ran(monkeypatch, found, capsys)[0] == status


def test_fault_of_its_own_is_not_an_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An interpreter that ends by an exception exits with 1, which would say that there is drift."""

    def broken(self: StackClient) -> dict[str, Any]:
        raise KeyError("unforeseen")

    monkeypatch.setattr(StackClient, "export", broken)
    assert FAULT not in list(Exit)
    assert main(["drift", "--stack", "dev"]) == FAULT
    assert "unforeseen" in capsys.readouterr().err


def test_row_says_all_five_things() -> None:
    row = next(line for line in shown([ON_MACHINE], []).splitlines() if "chick0" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "chick0",
        "swap-off",
        "line of /etc/fstab",
        "no [active] line",
        "LABEL=swap none swap",
    ]


def test_machine_that_cannot_be_asked_hides_no_difference() -> None:
    text = shown([ON_MACHINE], [DEAD])
    assert "LABEL=swap none swap" in text
    assert "no answer in time" in text


def test_roles_of_a_dead_machine_share_a_row() -> None:
    text = shown([], [DEAD, NotChecked("chick1", "ssh", DEAD.reason)])
    assert text.count("no answer in time") == 1
    assert "base, ssh" in text


def test_people_are_told_how_to_repair() -> None:
    for found in (ON_MACHINE, IN_CLUSTER):
        assert "make repair" in shown([found], [])
    assert "make repair" not in shown([], [DEAD])


def test_json_says_the_same(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = ran(monkeypatch, [ON_MACHINE, DEAD], capsys, as_json=True)
    assert json.loads(out) == {
        "differences": [
            {
                "machine": "chick0",
                "role": "swap-off",
                "item": "line of /etc/fstab",
                "expected": "no [active] line",
                "found": "LABEL=swap none swap",
            }
        ],
        "unseen": [{"machine": "chick1", "role": "base", "reason": DEAD.reason}],
    }


def test_state_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def export(self: StackClient) -> dict[str, Any]:
        raise StateError("no stack named 'nope' found")

    monkeypatch.setattr(StackClient, "export", export)
    assert drift.run(parser().parse_args(["drift", "--stack", "nope"])) == Exit.UNSEEN
    assert "no stack named 'nope' found" in capsys.readouterr().err


def test_command_line() -> None:
    options = parser().parse_args(["drift", "--stack", "dev", "--json", "--no-kubernetes"])
    assert (options.stack, options.json, options.kubernetes) == ("dev", True, False)
