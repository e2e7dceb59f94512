"""What one more machine changes of the others: the example of a real site, with and without its 22nd machine.

Prints each resource and why: `pytest -s tests/test_new_machine.py`.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import pytest

from tests.recorded import Recorded, Registration
from tests.stacks.sites import ROOT, changed, tree
from tests.test_program import program, program_of

# Where tests run side by side, these are in one process, with the others of the same program.
pytestmark = pytest.mark.xdist_group("prod")

KEY: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "N" * 43
NEW: Final = "chick19"
PAGE: Final = ROOT / "docs/network.md"
ROW: Final = re.compile(r"^\| `(?P<name>[a-z0-9-]+)` \| (?P<when>[a-z, ]+) \| (?P<why>.+) \|$", re.MULTILINE)


@cache
def touched(purpose: str, *, reserved: bool = True) -> frozenset[str]:
    """Return the resources of others that `pulumi up` updates or replaces when a worker for these pods is added.

    Without `reserved`, the site's settings reserve no addresses for nodes.
    """
    host = {"address": "10.0.0.119", "duties": ["worker"], "purpose": purpose, "host_key": KEY}
    return changed_by(_site(reserved), program_of("prod", changed(_settings(reserved), {"hosts": {NEW: host}})))


def _settings(reserved: bool) -> Mapping[str, Any]:
    return tree("prod") if reserved else changed(tree("prod"), {"network": {"nodes": None}})


@cache
def _site(reserved: bool) -> Recorded:
    return program("prod") if reserved else program_of("prod", _settings(reserved))


def changed_by(before: Recorded, after: Recorded) -> frozenset[str]:
    """Return the names of the resources of `before` that are others in `after`, or learn of one that is.

    A command that runs again, and an object that is replaced, have outputs that are not known before: what takes one of
    these as an input is updated as well.
    """
    old = {each.urn: each.inputs for each in before if each.custom}
    new = {each.urn: each for each in after if each.custom}
    assert old.keys() <= new.keys(), "nothing goes when a machine comes"
    urns = {urn for urn in old if old[urn] != new[urn].inputs}
    while more := {urn for urn in old.keys() - urns if _inputs_from(new[urn]) & urns}:
        urns |= more
    return frozenset(new[urn].name.removesuffix("-command") for urn in urns)


def _inputs_from(each: Registration) -> set[str]:
    """Return the URNs of the resources whose outputs are in an input."""
    return {urn for property in each.request.propertyDependencies.values() for urn in property.urns}


def documented() -> Mapping[str, Mapping[str, str]]:
    """Return the page's table: when each resource is touched, and why."""
    return {row["name"]: row.groupdict() for row in ROW.finditer(PAGE.read_text())}


@pytest.mark.parametrize(("purpose", "words"), [("user", "a worker for people"), ("core", "a worker for the hub")])
def test_each_resource_that_a_new_machine_touches_is_named_with_why(
    purpose: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = touched(purpose)
    rows = documented()
    with capsys.disabled():
        print(f"\n{words} as the 22nd machine: {len(found)} resources of other machines")
        for name in sorted(found):
            print(f"  {name}: {rows[name]['why'] if name in rows else 'WHY?'}")
    assert found == {name for name, row in rows.items() if row["when"] in ("every worker", words)}


def test_count_on_the_page_is_the_one_found() -> None:
    assert f"**{len(touched('user'))}** resources of other machines" in PAGE.read_text()
    assert f"**{len(touched('user', reserved=False))}** without `network.nodes`" in PAGE.read_text()


def test_without_reserved_addresses_each_node_lets_the_new_one_in_and_nothing_more() -> None:
    """One role for each machine that has to know, and the edge's proxy, which believes nodes one by one."""
    more = touched("user", reserved=False) - touched("user")
    nodes = {f"chick{number}-firewall-members" for number in range(19)}
    assert more == nodes | {"rooster-firewall-members", "edge-config", "edge-proxy"}


def test_no_filters_rules_are_loaded_again_and_no_machine_learns_a_name() -> None:
    for reserved in (True, False):
        found = touched("user", reserved=reserved)
        assert not [name for name in found if name.endswith(("-firewall", "-firewall-kept", "-base", "-resolver"))]


def test_change_is_followed_to_those_who_learn_of_it() -> None:
    """A rule that changes runs the filter's role again, and so the one that keeps it."""
    opened = {"network": {"openings": [{"machine": "hen", "port": 5432, "what": "PostgreSQL"}]}}
    found = changed_by(program("dev"), program_of("dev", changed(tree("dev"), opened)))
    assert found == {"hen-firewall", "hen-firewall-kept"}
