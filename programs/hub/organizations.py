"""Organizations and teams of GitHub as groups of the hub, beside those of administrators; shipped with that login."""

from collections.abc import Collection
from logging import Logger
from typing import Any

from database import SessionCursor
from henhouse_hub import site
from jupyterhub import orm
from memory import Memory
from person import known_of

GIVEN = Memory("organizations", site["directory"], site["database_url"])
"""Which organizations and teams were groups when the hub last started with this database."""


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
    """Empty the groups of what the settings no longer hold: it is not looked at again. Say which groups are new.

    Where the database does not say which of its groups were organizations, as a copy from before henhouse kept that,
    the log has the names of those that may be such: an administrator's stay as they are.
    """
    cursor = SessionCursor(db)
    former = set(GIVEN.recall(cursor) or ()).union(GIVEN.beside() or ())
    sure = GIVEN.is_sure(cursor)
    GIVEN.keep(cursor, sorted(names))
    for group in db.query(orm.Group).filter(orm.Group.name.in_(former.difference(names))):
        group.users = []
    for group in db.query(orm.Group).filter(orm.Group.name.in_(set(names) - former)):
        if group.users:
            people = ", ".join(sorted(user.name for user in group.users))
            log.warning("from now on GitHub says who is in the group %s, which had %s", group.name, people)
    others = [] if sure else sorted(group.name for group in db.query(orm.Group) if group.users)
    others = [name for name in others if name not in former.union(names)]
    db.commit()
    GIVEN.put_aside()
    if others:
        log.warning(
            "groups: this database does not say which were organizations or teams of GitHub: look through %s at the "
            "page Admin",
            ", ".join(others),
        )
