"""Every alert rule of every room fires when it should and only then: promtool runs the tests beside the room's own."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.stacks.sites import ROOT
from tests.tools import accepts

pytestmark = pytest.mark.programs

RULES: Final = sorted(ROOT.glob("components/**/alerts.yml"))
of_every_room = pytest.mark.parametrize("rules", RULES, ids=lambda path: path.parent.name)


def promtool_tests(rules: Path) -> dict[str, Any]:
    """Return promtool's tests of a room's rules."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "tests" / rules.relative_to(ROOT)).read_text())
    return found


@of_every_room
def test_rules(rules: Path, tmp_path: Path) -> None:
    path = tmp_path / rules.name
    path.write_text(yaml.safe_dump({"rule_files": [str(rules)], **promtool_tests(rules)}))
    accepts("promtool", "test", "rules", str(path))


@of_every_room
def test_every_rule_is_seen_firing_and_silent(rules: Path) -> None:
    asked = [
        (case["alertname"], bool(case.get("exp_alerts")))
        for group in promtool_tests(rules)["tests"]
        for case in group["alert_rule_test"]
    ]
    for rule in _rules(rules):
        assert (rule["alert"], True) in asked, f"no test makes {rule['alert']} fire"
        assert (rule["alert"], False) in asked, f"no test shows {rule['alert']} silent"


@of_every_room
def test_every_alert_says_what_to_do(rules: Path) -> None:
    for rule in _rules(rules):
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]


def test_every_room_with_rules_hands_them_on() -> None:
    """A file that no room gives to `alert_rules` is on no machine."""
    for rules in RULES:
        assert any("alert_rules(" in path.read_text() for path in rules.parent.glob("*.py")), rules


def _rules(path: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
