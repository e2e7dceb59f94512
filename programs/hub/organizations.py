"""Organizations and teams of GitHub as groups of the hub, beside those of administrators; shipped with that login."""

import json
from collections.abc import Collection
from logging import Logger
from typing import Any

from database import remembered
from henhouse_hub import site
from jupyterhub import orm
from keeping import write_whole
from person import known_of

FORMER = remembered(site["directory"], "organizations.json", site["database_url"])
"""Which organizations and teams were groups when the hub last started."""


def join(user: Any, state: dict[str, Any] | None, names: Collection[str]) -> None:
    """Put a person into the groups that are their organizations and teams, and take them out of those that are others'.

    Groups of other names are an administrator's, and stay. Nothing changes where the login does not say what the person
    is in: it is older than this (one may know organizations and no teams), or they did not let the hub see that.
    """
    known = known_of(state)
    theirs = {name: known.get("teams" if ":" in name else "organizations") for name in names}
    member = {name: name.lower() in said for name, said in theirs.items() if said is not None}
    if member:
        kept = {group.name for group in user.groups if group.name not in member}
        user.sync_groups(kept | {name for name, is_one in member.items() if is_one})


def leave_former(db: Any, names: Collection[str], log: Logger) -> None:
    """Empty the groups of what the settings no longer hold: it is not looked at again. Say which groups are new."""
    former = set(json.loads(FORMER.read_text())) if FORMER.exists() else set()
    for group in db.query(orm.Group).filter(orm.Group.name.in_(former.difference(names))):
        group.users = []
    for group in db.query(orm.Group).filter(orm.Group.name.in_(set(names) - former)):
        if group.users:
            people = ", ".join(sorted(user.name for user in group.users))
            log.warning("from now on GitHub says who is in the group %s, which had %s", group.name, people)
    db.commit()
    write_whole(FORMER, sorted(names))
