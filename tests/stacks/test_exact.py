"""A value of one kind is not taken for one of another, in any setting."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

import pytest
from pydantic import Field, ValidationError

from stacks.load import parse_settings
from stacks.problems import SettingsError
from stacks.settings.types import Model
from tests.stacks.sites import changed, tree


class Inner(Model):
    """A model within a model."""

    many: int


class Kinds(Model):
    """A setting of each kind."""

    whole: int = 0
    part: float = 0
    yes: bool = False
    either: bool | int = 0
    address: IPv4Address | None = None
    network: IPv4Network | None = None
    interface: IPv4Interface | None = None
    several: tuple[int, ...] = ()
    inner: Inner | None = None
    metadata: int = 0
    serialization: bool = False
    as_it_is: dict[str, str] = Field(default={"type": "int"})


@pytest.mark.parametrize(
    "given",
    [
        *({"whole": each} for each in (True, 1.0, " 1", "+1", "1_000", "010", "1.0", "one", "1" * 5000)),
        *({"part": each} for each in (False, "1e3", " 0.5", ".5", "nan", "inf")),
        *({"yes": each} for each in (1, 0, "1", "yes", "on", "t", "True", "")),
        *({name: each} for name in ("address", "network", "interface") for each in (10, True, 10.0)),
        {"several": [1, True]},
        {"inner": {"many": True}},
        {"metadata": True},
        {"serialization": "yes"},
    ],
    ids=str,
)
def test_another_kind_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Kinds.model_validate(given)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"whole": "110"}, 110),
        ({"whole": -1}, -1),
        ({"part": "0.5"}, 0.5),  # as `pulumi config set --path` writes it
        ({"part": 2}, 2.0),
        ({"yes": "true"}, True),  # as the engine passes a setting of its own
        ({"yes": False}, False),
        ({"either": True}, True),
        ({"either": 1}, 1),
        ({"address": "192.0.2.1"}, IPv4Address("192.0.2.1")),
        ({"network": IPv4Network("192.0.2.0/24")}, IPv4Network("192.0.2.0/24")),
        ({"several": [1, 2]}, (1, 2)),
    ],
    ids=str,
)
def test_its_own_kind_is_taken(given: dict[str, Any], taken: Any) -> None:
    (found,) = (getattr(Kinds.model_validate(given), name) for name in given)
    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hub": {"size": {"cpu_limit": True}}}, "hub.size.cpu_limit: true"),
        ({"hub": {"concurrentSpawnLimit": True}}, "hub.concurrentSpawnLimit: true"),
        ({"hub": {"cull": {"enabled": 1}}}, "hub.cull.enabled: 1: cannot be used here accepted: true or false"),
        ({"network": {"administrators": [10]}}, "network.administrators.0: 10: must be text, such as"),
    ],
    ids=str,
)
def test_refusal_names_the_setting(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), changes))
    assert said in " ".join(str(refused.value).split())


def test_default_is_taken_as_it_is() -> None:
    assert Kinds().as_it_is == {"type": "int"}
