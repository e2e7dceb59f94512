"""BareMetalNode's promises."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from components.contracts.cluster import Membership
from components.contracts.watched import ScrapeTarget
from components.machines.node import BareMetalNode, baseline
from stacks.load import parse_settings
from tests.converge.scripts import site
from tests.recorded import Recorded
from tests.stacks.sites import changed, tree

MEMBERSHIP = Membership.of(site("dev").cluster)
Record = Callable[..., Recorded]
COMMAND = "command:remote:Command"
FACTS = '{"machine_id": "a1", "os": "Debian GNU/Linux 13 (trixie)", "kernel": "6.12.0"}'


def node(name: str = "chick1") -> Callable[[], Any]:
    def program() -> Any:
        made = BareMetalNode(name, site("dev"), MEMBERSHIP, {})
        return {"facts": made.facts, "machine_id": made.machine_id, "os": made.os, "kernel": made.kernel}

    return program


def test_facts_are_typed_outputs(record: Record) -> None:
    recorded = record(node(), outputs={"chick1-identity-command": {"stdout": FACTS}})
    assert recorded.result["machine_id"] == "a1"
    assert recorded.result["os"] == "Debian GNU/Linux 13 (trixie)"
    assert recorded.result["kernel"] == "6.12.0"
    assert recorded.one("chick1", "henhouse:host:BareMetalNode").outputs["kernel"] == "6.12.0"


def test_roles_are_applied_one_after_the_other(record: Record) -> None:
    commands = record(node()).all(COMMAND)
    names = [each.name for each in commands]
    assert names == [f"chick1-{role.name}-command" for role in baseline("chick1", site("dev"), MEMBERSHIP)]
    for before, after in pairwise(commands):
        assert before.name in after.depends_on_names


def test_two_machines_do_not_wait_for_each_other(record: Record) -> None:
    def program() -> None:
        BareMetalNode("chick0", site("dev"), MEMBERSHIP, {})
        BareMetalNode("chick1", site("dev"), MEMBERSHIP, {})

    for each in record(program).all(COMMAND):
        machine = each.name.partition("-")[0]
        assert all(name.startswith(machine) for name in each.depends_on_names)


def test_everything_is_below_the_machine(record: Record) -> None:
    recorded = record(node())
    for each in recorded.all("henhouse:host:HostState"):
        assert each.parent_name == "chick1"
    for each in recorded.all(COMMAND):
        assert each.parent_name == each.name.removesuffix("-command")


def test_machine_is_ready_after_its_last_role(record: Record) -> None:
    machines = []
    record(lambda: machines.append(BareMetalNode("rooster", site("dev"), MEMBERSHIP, {}).machine))
    (machine,) = machines
    assert machine.target.host_key == site("dev").hosts["rooster"].host_key
    assert str(machine.address) == "198.18.0.2"


@pytest.mark.parametrize("name", ["rooster", "hen", "chick2"])
def test_every_machine_is_watched(record: Record, name: str) -> None:
    found: list[ScrapeTarget] = []
    record(lambda: found.extend(BareMetalNode(name, site("dev"), MEMBERSHIP, {}).watched.scrape))
    assert [(each.job, each.labels["machine"]) for each in found] == [("node", name)]
    assert found[0].addresses == [f"{site('dev').hosts[name].address}:9100"]


@pytest.mark.parametrize("name", ["rooster", "chick1"])
def test_ssh_stays_open_where_the_server_listens_whatever_the_way_to_it(record: Record, name: str) -> None:
    """The jump's port is another outside than on the machine where a router translates it."""
    jump = {"machine": "rooster", "host": "203.0.113.10", "port": 2222}
    behind = parse_settings(changed(tree("dev"), {"access": {"jump": jump}}))

    def program() -> Any:
        made = BareMetalNode(name, behind, MEMBERSHIP, {})
        target = made.machine.target
        return {"ports": [each.port for each in made.openings if each.what == "SSH"], "way": (target.host, target.port)}

    recorded = record(program)
    assert recorded.result["ports"] == [22]
    outside = ("203.0.113.10", 2222) if name == "rooster" else (str(behind.hosts[name].address), 22)
    assert tuple(recorded.result["way"]) == outside
    through = recorded.all(COMMAND)[0].inputs["connection"].get("proxy")
    assert (through is None) == (name == "rooster")
