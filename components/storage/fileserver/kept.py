"""Shares that are to stay: an update that would drop one is refused before it touches anything."""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pulumi

from converge.engine import EngineError
from converge.stack import PARTIAL, StackClient
from stacks.settings import Site

_KEPT = """\
storage.shares: {shares} was removed, and its volume and its claim are protected: running servers may have it
    accepted: every share as it was; docs/hub-shares.md (Change and remove) says how one is taken from everyone, and
    how it is removed for good
Nothing was changed."""


def refuse_to_drop_shares(name: str, site: Site) -> None:
    """Raise RunError when the settings lack a share whose volume or claim the state protects.

    `name` is the file server's in the program. A preview ends with the engine's own refusal. An update without one
    would come to that last, and take the export from running servers before. An update of some resources deletes none.
    """
    if pulumi.runtime.is_dry_run() or os.environ.get(PARTIAL):
        return
    try:
        resources = StackClient(pulumi.get_stack()).resources()
    except EngineError as error:
        pulumi.log.warn(f"whether a protected share was removed was not looked at: {error}")
        return
    if shares := dropped(name, resources, site.storage.shares):
        raise pulumi.RunError(_KEPT.format(shares=", ".join(shares)))


def dropped(name: str, resources: Iterable[Mapping[str, Any]], shares: Collection[str]) -> list[str]:
    """Return the names of the shares that a state's resources protect and that are not among `shares`."""
    of_a_share = re.compile(rf"::{re.escape(name)}-share-(.+)-(?:volume|claim)$")
    protected = (each["urn"] for each in resources if each.get("protect") and not each.get("delete"))
    found = {match[1] for match in map(of_a_share.search, protected) if match}
    return sorted(found - set(shares))
