"""Organizations of GitHub as groups of the hub, beside those that an administrator makes; shipped with that login."""

import json
from collections.abc import Collection
from typing import Any

from database import remembered
from henhouse_hub import site
from jupyterhub import orm
from keeping import write_whole
from person import known_of

FORMER = remembered(site["directory"], "organizations.json", site["database_url"])
"""Which organizations were groups when the hub last started."""


def join(user: Any, state: dict[str, Any] | None, organizations: Collection[str]) -> None:
    """Put a person into the groups that are their organizations, and take them out of those that are other ones.

    Groups of other names are an administrator's, and stay. Nothing changes where the login does not say which
    organizations a person is in: it is older than this, or they did not let the hub see them.
    """
    theirs = known_of(state).get("organizations")
    if theirs is None:
        return
    kept = {group.name for group in user.groups if group.name not in organizations}
    user.sync_groups(kept | {name for name in organizations if name.lower() in theirs})


def leave_former(db: Any, organizations: Collection[str]) -> None:
    """Empty the groups of organizations that the settings no longer hold: they are not looked at again."""
    former = set(json.loads(FORMER.read_text())) if FORMER.exists() else set()
    for group in db.query(orm.Group).filter(orm.Group.name.in_(former.difference(organizations))):
        group.users = []
    db.commit()
    write_whole(FORMER, sorted(organizations))
