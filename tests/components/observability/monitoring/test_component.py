"""Promises of monitoring's resources."""

import pulumi
import pytest

from components.contracts.certificates import ServerCertificate
from components.contracts.routes import Route
from components.contracts.watched import ScrapeTarget, Watched
from components.observability.monitoring.component import Monitoring
from stacks.load import parse_settings
from tests.components.world import ANSWERS, World
from tests.recorded import Recorded, record
from tests.stacks.sites import tree

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
