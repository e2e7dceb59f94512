"""Checks of what the hub and user servers may connect to besides."""

from collections.abc import Iterator
from ipaddress import IPv4Network, collapse_addresses
from typing import Final

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site

ELSEWHERE: Final = "addresses of machines that are not the site's own"
KEPT: Final = (IPv4Network("127.0.0.0/8"), IPv4Network("169.254.0.0/16"))
"""The pod itself, and what is on the node's own link: clouds' metadata services."""


def own_networks_stay_closed(site: Site) -> Iterator[Problem]:
    """Refuse rules for a part of the site's own networks: whoever is in a pod must not reach machines or other pods."""
    own = site.network.own
    closed = (*own.values(), *site.further_addresses)
    for path, policy in (
        ("hub.networkPolicy", site.hub.network_policy),
        ("hub.singleuser.networkPolicy", site.hub.singleuser.network_policy),
    ):
        blocks = ((n, i, peer.ip_block) for n, rule in enumerate(policy.egress) for i, peer in enumerate(rule.to))
        for number, index, block in blocks:
            where = f"{path}.egress.{number}.to.{index}.ipBlock.cidr"
            inside = [each for each in (*closed, *block.excluded) if each.subnet_of(block.cidr)]
            for name, each in own.items():
                if block.cidr.subnet_of(each):
                    yield Problem(
                        where, f"{block.cidr} is in network.{name}, {each}, which pods do not reach", ELSEWHERE
                    )
            if any(block.cidr.subnet_of(each) for each in KEPT):
                yield Problem(where, f"{block.cidr} is on the node itself", ELSEWHERE)
            elif block.cidr in collapse_addresses(inside):
                yield Problem(
                    where, f"nothing of {block.cidr} is left: all of it is the site's own, or excepted", ELSEWHERE
                )


CHECKS: Final[tuple[Check, ...]] = (own_networks_stay_closed,)
