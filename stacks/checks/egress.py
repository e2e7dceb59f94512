"""Checks of what the hub and user servers may connect to besides."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site

KEPT: Final = (IPv4Network("127.0.0.0/8"), IPv4Network("169.254.0.0/16"))
"""The pod itself, and what is on the node's own link: clouds' metadata services."""


def own_networks_stay_closed(site: Site) -> Iterator[Problem]:
    """Refuse rules for a part of the site's own networks: whoever is in a pod must not reach machines or other pods."""
    network = site.network
    own = {name: getattr(network, name) for name in ("machines", "pods", "services", "load_balancers")}
    for path, policy in (
        ("hub.networkPolicy", site.hub.network_policy),
        ("hub.singleuser.networkPolicy", site.hub.singleuser.network_policy),
    ):
        for number, rule in enumerate(policy.egress):
            for index, peer in enumerate(rule.to):
                cidr, where = peer.ip_block.cidr, f"{path}.egress.{number}.to.{index}.ipBlock.cidr"
                for name, each in own.items():
                    if cidr.subnet_of(each):
                        yield Problem(
                            where,
                            f"{cidr} is in network.{name}, {each}, which pods do not reach",
                            accepted="addresses outside the site's own networks",
                        )
                if any(cidr.subnet_of(each) for each in KEPT):
                    yield Problem(where, f"{cidr} is on the node itself", accepted="addresses of other machines")


CHECKS: Final[tuple[Check, ...]] = (own_networks_stay_closed,)
