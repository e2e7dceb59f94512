"""Every alert rule fires when it should and only then: promtool runs the tests in `rules/`."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from components.observability.monitoring.config import RULES, rule_files
from tests.tools import accepts

pytestmark = pytest.mark.programs

TESTS: Final = Path(__file__).with_name("rules")


@pytest.mark.parametrize("name", rule_files())
def test_rules(name: str, tmp_path: Path) -> None:
    tests = yaml.safe_load((TESTS / name).read_text())
    (tmp_path / name).write_text(yaml.safe_dump({"rule_files": [str(RULES / name)], **tests}))
    accepts("promtool", "test", "rules", str(tmp_path / name))


@pytest.mark.parametrize("name", rule_files())
def test_every_rule_is_seen_firing_and_silent(name: str) -> None:
    asked = [
        (case["alertname"], bool(case.get("exp_alerts")))
        for group in yaml.safe_load((TESTS / name).read_text())["tests"]
        for case in group["alert_rule_test"]
    ]
    for rule in _rules(name):
        assert (rule["alert"], True) in asked, f"no test makes {rule['alert']} fire"
        assert (rule["alert"], False) in asked, f"no test shows {rule['alert']} silent"


@pytest.mark.parametrize("name", rule_files())
def test_every_alert_says_what_to_do(name: str) -> None:
    for rule in _rules(name):
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]


def _rules(name: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(rule_files()[name])["groups"] for rule in group["rules"]]
