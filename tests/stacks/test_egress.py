"""What the hub and user servers may connect to besides."""

from typing import Any

import pytest

from stacks.load import parse_settings
from stacks.problems import SettingsError
from tests.stacks.sites import changed, tree

POLICIES = ("hub", "singleuser")


def rules(whose: str, *to: dict[str, Any], **more: object) -> dict[str, Any]:
    """Return the settings of a hub with one rule."""
    policy = {"networkPolicy": {"egress": [{"to": [{"ipBlock": each} for each in to], **more}]}}
    return {"hub": policy if whose == "hub" else {"singleuser": policy}}


@pytest.mark.parametrize("whose", POLICIES)
@pytest.mark.parametrize(
    ("block", "more", "says"),
    [
        ({"cidr": "198.18.0.200/32"}, {}, "198.18.0.200/32 is in network.machines, 198.18.0.0/19"),
        ({"cidr": "198.18.0.0/19"}, {}, "is in network.machines"),
        ({"cidr": "198.18.64.0/24"}, {}, "is in network.pods"),
        ({"cidr": "198.18.32.1/32"}, {}, "is in network.services"),
        ({"cidr": "198.18.48.10/32"}, {}, "is in network.load_balancers"),
        ({"cidr": "169.254.169.254/32"}, {}, "169.254.169.254/32 is on the node itself"),
        ({"cidr": "10.1.2.3/8"}, {}, "ipBlock.cidr"),
        ({"cidr": 10}, {}, "ipBlock.cidr: 10: must be an IPv4 network, such as 10.1.2.3/32"),
        ({"cidr": True}, {}, "must be an IPv4 network"),
        ({"cidr": "10.1.0.0/16", "except": ["10.1.0.0/17", "10.1.128.0/17"]}, {}, "nothing of 10.1.0.0/16 is left"),
        ({"cidr": "db.example.edu"}, {}, "ipBlock.cidr"),
        ({"cidr": "10.1.0.0/16", "except": ["10.2.0.0/24"]}, {}, "except has 10.2.0.0/24, which is not a part of"),
        ({"cidr": "10.1.0.0/16", "except": ["10.1.0.0/16"]}, {}, "which is not a part of"),
        ({"cidr": "10.1.2.3/32"}, {"ports": [{"port": 0}]}, "ports.0.port"),
        ({"cidr": "10.1.2.3/32"}, {"ports": []}, "ports: []: is too short"),
        ({"cidr": "10.1.2.3/32"}, {"ports": [{"port": 99, "endPort": 9}]}, "endPort, 9, is less than port, 99"),
        ({"cidr": "10.1.2.3/32"}, {"ports": [{"port": 5432, "protocol": "tcp"}]}, "protocol"),
        ({"cidr": "10.1.2.3/32"}, {"podSelector": {}}, "podSelector: is not a setting"),
    ],
)
def test_rule_that_would_open_what_stays_closed_is_refused(
    whose: str, block: dict[str, Any], more: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(changed(tree("dev"), rules(whose, block, **more)))
    assert says in str(refused.value)


@pytest.mark.parametrize("whose", POLICIES)
def test_no_addresses_are_not_all_addresses(whose: str) -> None:
    with pytest.raises(SettingsError, match=r"egress\.0\.to"):
        parse_settings(changed(tree("dev"), rules(whose)))


@pytest.mark.parametrize("whose", POLICIES)
def test_addresses_of_the_institution_are_accepted(whose: str) -> None:
    ports = [{"port": 5432}, {"port": 27000, "endPort": 27009, "protocol": "UDP"}]
    parse_settings(changed(tree("dev"), rules(whose, {"cidr": "10.1.2.3/32"}, {"cidr": "10.0.0.0/8"}, ports=ports)))
