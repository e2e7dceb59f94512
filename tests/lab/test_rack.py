"""The rack's description: what the committed one says, and what is refused."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml

from lab.keys import public_key
from lab.rack import RackError, load_rack, parse_rack, size_in_bytes

CAMPUS = '[campus]\ninterface = "198.18.0.1/19"\ngateway = "one"\n'
ONE = '[machines.one]\nkind = "nspawn"\naddress = "198.18.0.2"\nmemory = "1G"\n'


def test_every_machine_leaves_through_the_gateway_and_the_gateway_through_the_campus() -> None:
    rack = load_rack("dev")
    routes = {machine.name: rack.default_route(machine) for machine in rack.machines}
    assert routes.pop("rooster") == IPv4Address("198.18.0.1")
    assert set(routes.values()) == {IPv4Address("198.18.0.2")}


def test_dev_stack_describes_the_dev_rack() -> None:
    """The stack's file knows the machines as any site's does: by address and by pinned host key."""
    stack = yaml.safe_load((Path(__file__).parents[2] / "Pulumi.dev.yaml").read_text())
    described = {name: (host["address"], host["host_key"]) for name, host in stack["config"]["henhouse:hosts"].items()}
    made = {spec.name: (str(spec.address), public_key(spec.name)) for spec in load_rack("dev").machines}
    assert described == made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CAMPUS, "machines: Tuple should have at least 1 item"),
        (CAMPUS + ONE.replace("nspawn", "docker"), "machines.0.kind: Input should be 'nspawn', 'qemu' or 'uml'"),
        (CAMPUS + ONE.replace("1G", "1024"), "'1024' is not a size; write a whole number and M or G"),
        (CAMPUS + ONE.replace("198.18.0.2", "198.18.0.1"), "machines.one.address: 198.18.0.1 is also the campus's"),
        (CAMPUS + ONE + ONE.replace("one", "two"), "machines.two.address: 198.18.0.2 is also one's"),
        (CAMPUS + ONE.replace("198.18.0.2", "198.18.99.2"), "198.18.99.2 is not a host address of 198.18.0.0/19"),
        (CAMPUS.replace("198.18.0.1", "10.0.0.1") + ONE, "10.0.0.0/19 is outside 198.18.0.0/15"),
        (CAMPUS.replace('"one"', '"two"') + ONE, "campus.gateway: 'two' is not a machine of this rack; it has one"),
        (
            CAMPUS + ONE + 'disks = { size = "1G", serials = ["a"] }',
            "machines.one.disks: an nspawn machine has no disks",
        ),
        (CAMPUS + ONE + "colour = 1", "machines.0.colour: Extra inputs are not permitted"),
        (CAMPUS + ONE + "colour", "is not TOML"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(RackError) as error:
        parse_rack("test", text)
    assert message in str(error.value)


def test_unknown_rack_names_those_that_exist() -> None:
    with pytest.raises(RackError, match="there are dev"):
        load_rack("prod")


def test_unknown_machine_names_those_that_exist() -> None:
    with pytest.raises(RackError, match="'two' is not in the rack 'test'; it has one"):
        parse_rack("test", CAMPUS + ONE).machine("two")


def test_state_that_is_too_deep_for_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HENHOUSE_STATE", "/" + "x" * 100)
    with pytest.raises(RackError, match="set HENHOUSE_STATE to a shorter path"):
        parse_rack("test", CAMPUS + ONE)


@pytest.mark.parametrize(("size", "amount"), [("512M", 512 * 1024**2), ("2G", 2 * 1024**3)])
def test_sizes(size: str, amount: int) -> None:
    assert size_in_bytes(size) == amount
