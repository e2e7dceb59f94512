"""Checks across settings: what each value alone cannot show. One file for what each is about."""

from typing import Final

from stacks.checks import (
    added,
    cluster,
    edge,
    egress,
    hub,
    interfaces,
    machines,
    menu,
    mirrors,
    mounts,
    needs,
    network,
    organizations,
    registries,
    shares,
    site,
    storage,
)
from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site

CHECKS: Final[tuple[Check, ...]] = (
    *network.CHECKS,
    *machines.CHECKS,
    *cluster.CHECKS,
    *interfaces.CHECKS,
    *storage.CHECKS,
    *shares.CHECKS,
    *organizations.CHECKS,
    *mirrors.CHECKS,
    *hub.CHECKS,
    *added.CHECKS,
    *mounts.CHECKS,
    *edge.CHECKS,
    *egress.CHECKS,
    *menu.CHECKS,
    *registries.CHECKS,
    *needs.CHECKS,
    *site.CHECKS,
)


def problems_across(settings: Site) -> list[Problem]:
    """Return the problems that all checks find together."""
    return [problem for check in CHECKS for problem in check(settings)]
