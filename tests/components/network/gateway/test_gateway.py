"""The gateway's role and component."""

from collections.abc import Callable
from pathlib import Path

import pulumi
import pulumi_random as random
import pytest

from components.contracts.cluster import Peering
from components.contracts.machines import Machine, SshTarget
from components.network.gateway import Gateway
from components.network.gateway.bird import bird_configuration
from components.network.gateway.roles import BIRD_CONF, router_role
from converge.items import File, Unit
from converge.render import render
from stacks.load import parse_settings
from stacks.settings import Site
from tests.recorded import Recorded
from tests.stacks.sites import tree
from tests.tools import accepts

pytestmark = pytest.mark.programs


@pytest.fixture(scope="module")
def site() -> Site:
    return parse_settings(tree("dev"))


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_bird_accepts_its_configuration(stack: str, tmp_path: Path) -> None:
    path = tmp_path / "bird.conf"
    settings = parse_settings(tree(stack))
    path.write_text(bird_configuration(settings, Peering.of(settings.cluster)))
    accepts("bird", "-p", "-c", str(path))


def test_the_nodes_are_the_only_peers(site: Site) -> None:
    text = bird_configuration(site, Peering.of(site.cluster))
    sessions = [line for line in text.splitlines() if line.startswith("protocol bgp")]
    assert sessions == [
        "protocol bgp node_chick0 from node { neighbor 198.18.0.100 as 64512; }",
        "protocol bgp node_chick1 from node { neighbor 198.18.0.101 as 64512; }",
        "protocol bgp node_chick2 from node { neighbor 198.18.0.102 as 64512; }",
    ]


def test_nodes_announce_load_balancers_only(site: Site) -> None:
    text = bird_configuration(site, Peering.of(site.cluster))
    assert "net ~ [ 198.18.48.0/24+ ] then accept;\n    reject;" in text
    assert "export none" in text


def test_bird_judges_its_configuration_before_it_reloads_it(site: Site) -> None:
    role = router_role(site, Peering.of(site.cluster))
    (conf,) = [item for item in role.items if isinstance(item, File) and item.path == BIRD_CONF]
    (bird,) = [item for item in role.items if isinstance(item, Unit)]
    assert conf.validate == 'bird -p -c "$NEW"'
    # A restart would withdraw every route for a moment.
    assert bird.restart_on == (BIRD_CONF,)
    assert bird.reload


def test_the_script_is_sound(site: Site, faults: Callable[[str], str]) -> None:
    assert faults(render(router_role(site, Peering.of(site.cluster)), "rooster")) == ""


def test_the_role_waits_for_the_machines_baseline(site: Site, record: Callable[..., Recorded]) -> None:
    def program() -> pulumi.Output[str]:
        baseline = random.RandomId("baseline", byte_length=1)
        host = site.hosts["rooster"]
        machine = Machine("rooster", host, SshTarget.of("rooster", host, site.access), baseline, "0" * 32)
        return Gateway("gateway", site, Peering.of(site.cluster), on=machine).ready.urn

    recorded = record(program)
    assert "baseline" in recorded.one("rooster-router").depends_on_names
    assert recorded.result == recorded.one("rooster-router").urn
    assert recorded.one("rooster-router").parent_name == "gateway"
