"""Which addresses the hub and user servers may connect to."""

from typing import Any

import pytest

from components.apps.hub.servers import besides
from stacks.load import parse_settings
from stacks.problems import SettingsError
from stacks.settings import Site
from tests.stacks.logins import CILOGON, GITHUB, GOOGLE, OIDC
from tests.stacks.sites import changed, tree


def site(*rules: dict[str, Any]) -> Site:
    return parse_settings(changed(tree("dev"), {"hub": {"singleuser": {"networkPolicy": {"egress": list(rules)}}}}))


def opened(of: Site) -> list[tuple[list[Any], Any]]:
    """Return of each rule the addresses, with what is not meant, and the ports."""
    return [
        (
            [(peer.ip_block.cidr, peer.ip_block.except_) for peer in rule.to],
            rule.ports and [(port.protocol, port.port, port.end_port) for port in rule.ports],
        )
        for rule in besides(of.hub.singleuser.network_policy, of)
    ]


def test_site_opens_addresses_and_ports() -> None:
    of = site(
        {
            "to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}],
            "ports": [{"port": 5432}, {"port": 9, "endPort": 11, "protocol": "UDP"}],
        },
        {
            "to": [
                {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.9.0.0/16"]}},
                {"ipBlock": {"cidr": "192.168.7.0/24"}},
            ]
        },
    )
    assert opened(of) == [
        ([("10.1.2.3/32", None)], [("TCP", 5432, None), ("UDP", 9, 11)]),
        ([("10.0.0.0/8", ["10.9.0.0/16"]), ("192.168.7.0/24", None)], None),
    ]


def test_own_networks_are_never_among_them() -> None:
    ((((_, hidden),), _),) = opened(site({"to": [{"ipBlock": {"cidr": "198.18.0.0/15"}}]}))
    own = {"198.18.0.0/19", "198.18.32.0/20", "198.18.48.0/24", "198.18.64.0/18"}
    assert own <= set(hidden)


def test_provider_is_asked_at_the_port_of_its_address() -> None:
    def ports(**login: Any) -> tuple[int, ...]:
        return parse_settings(changed(tree("dev"), {"hub": {"login": login}})).hub.login.provider_ports

    assert ports(**GITHUB) == (443,)
    assert ports(**GITHUB, url="https://ghe.example.edu:8443") == (8443,)
    assert ports(**{**OIDC, "userdata_url": "https://id.example.edu:9443/userinfo"}) == (443, 9443)
    assert ports(**GOOGLE) == ports(**CILOGON) == (443,)
    assert ports(type="native") == ()


def test_address_of_a_machine_in_another_network_stays_closed() -> None:
    hen = {"eth0": {"addresses": ["198.18.0.200/19"]}, "stor0": {"addresses": ["10.50.0.2/24"]}}
    rule = {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
    policy = {"singleuser": {"networkPolicy": {"egress": [rule]}}}
    of = parse_settings(changed(tree("dev"), {"hosts": {"hen": {"interfaces": hen}}, "hub": policy}))
    assert opened(of) == [([("10.0.0.0/8", ["10.50.0.2/32"])], None)]
    rule["to"][0]["ipBlock"]["cidr"] = "10.50.0.2/32"
    with pytest.raises(SettingsError, match=r"nothing of 10\.50\.0\.2/32 is left"):
        parse_settings(changed(tree("dev"), {"hosts": {"hen": {"interfaces": hen}}, "hub": policy}))
