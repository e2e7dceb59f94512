"""Promises of monitoring's resources."""

import subprocess
from pathlib import Path

import pulumi
import pytest

from components.contracts.certificates import ServerCertificate
from components.contracts.routes import Route
from components.contracts.watched import ScrapeTarget, Watched
from components.observability.monitoring.alerting import watchdog_rules
from components.observability.monitoring.component import Monitoring
from components.observability.monitoring.config import CREDENTIALS_DIRECTORY
from components.observability.monitoring.roles import watch_role
from converge.items import Absent, File, Script
from converge.role import Role
from stacks.load import parse_settings
from tests.components.world import ANSWERS, World
from tests.recorded import Recorded, record
from tests.stacks.sites import changed, tree

TOKEN = "token that only Prometheus may have"


@pytest.fixture(scope="module")
def watch() -> Recorded:
    settings = parse_settings(tree("dev"))

    def run() -> None:
        world = World(settings)
        Monitoring(
            "watch",
            settings,
            on=world.machines[settings.gateway],
            routes=[
                Route(settings.hub.host, world.spaces.hub, pulumi.Output.from_input("198.18.32.7"), 80, "/hub/health")
            ],
            certificate=ServerCertificate("chain", "key", authority=pulumi.Output.from_input("authority of the edge")),
            watched=[
                Watched([ScrapeTarget("node", ["198.18.0.200:9100"])], {"machines.yml": "groups: []\n"}),
                Watched(
                    [
                        ScrapeTarget(
                            "jupyterhub",
                            ["hub.henhouse.localhost:443"],
                            scheme="https",
                            bearer_token=pulumi.Output.secret(TOKEN),
                            public=True,
                        )
                    ]
                ),
            ],
        )

    return record(run, outputs=ANSWERS)


def test_token_comes_by_standard_input_alone(watch: Recorded) -> None:
    command = watch.one("rooster-watch-command")
    assert "stdin" in command.secret_keys
    assert TOKEN not in command.inputs["create"]
    assert "jupyterhub-token" in command.inputs["create"]


def test_authorities_are_plain(watch: Recorded) -> None:
    script = watch.one("rooster-watch-command").inputs["create"]
    assert script.count("'authority of the edge'") == 2
    for name in ("site-ca.crt", "jupyterhub-ca.crt"):
        assert f"/etc/prometheus/credentials/{name}" in script


def test_targets_are_asked_by_address(watch: Recorded) -> None:
    assert "198.18.0.200:9100" in watch.one("rooster-watch-command").inputs["create"]


def test_rules_of_every_room_and_its_own_are_on_the_machine(watch: Recorded) -> None:
    script = watch.one("rooster-watch-command").inputs["create"]
    for name in ("machines.yml", "watch.yml"):
        assert f"/etc/prometheus/rules.d/{name}" in script


def told(authority: str | None, **monitoring: object) -> Role:
    """Return the role of a site with these receivers, whose hub shows a certificate of this authority."""
    site = parse_settings(changed(tree("dev"), {"monitoring": monitoring}))
    target = ScrapeTarget("jupyterhub", ["hub:443"], scheme="https", bearer_token=pulumi.Output.secret(TOKEN))
    signers = {"jupyterhub": authority} if authority else {}
    rules = watchdog_rules(site.monitoring)
    return watch_role(site, [target], signers, rules=rules, routes=[], edge_authority=authority)


def credentials(role: Role) -> set[str]:
    """Return the names of the files that only the monitoring reads."""
    paths = (Path(item.path) for item in role.items if isinstance(item, File))
    return {path.name for path in paths if str(path.parent) == CREDENTIALS_DIRECTORY}


def test_nothing_is_left_of_a_receiver_or_an_authority(tmp_path: Path) -> None:
    hook = "https://hooks.example.org/T0P-S3CRET"
    mail = {"type": "mail", "to": ["a@example.org"], "sender": "b@example.org", "smarthost": "mail.example.org:25"}
    receivers = {"phone": {"type": "webhook", "url": hook}, "mail": {**mail, "user": "hen", "password": "T0P-S3CRET"}}
    before, after = told("authority", receivers=receivers, watchdog=hook), told(None)
    assert credentials(before) - credentials(after) == {
        "jupyterhub-ca.crt",
        "receiver-mail-password",
        "receiver-phone-url",
        "site-ca.crt",
        "watchdog-url",
    }
    for name in credentials(before) | {"of-an-administrator"}:
        (tmp_path / name).touch()
    for role, left in ((before, credentials(before)), (after, credentials(after))):
        item = role.items[-1]
        assert isinstance(item, Script)
        for script in (item.apply, item.check):
            here = script.replace(f"DIRECTORY={CREDENTIALS_DIRECTORY}", f"DIRECTORY={tmp_path}")
            subprocess.run(["bash", "-euo", "pipefail", "-c", here], check=True)
        assert {path.name for path in tmp_path.iterdir()} == left | {"of-an-administrator"}
    rules = "/etc/prometheus/rules.d/watchdog.yml"
    assert Absent(rules) in after.items
    assert Absent(rules) not in before.items
