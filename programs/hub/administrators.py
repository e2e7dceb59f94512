"""Who is an administrator no more; shipped to the hub beside its configuration."""

from logging import Logger
from typing import Any

from database import SessionCursor
from henhouse_hub import site
from jupyterhub import orm
from memory import Memory

GIVEN = Memory("administrators", site["directory"], site["database_url"])
"""Who the administrators were by the settings when the hub last started with this database."""


def demote_former(db: Any, named: set[str], log: Logger) -> None:
    """Take the rights from administrators whose names the settings no longer hold; JupyterHub keeps them.

    Who was made one at the page Admin stays one, where the database says who was named. One that does not say it, such
    as a copy from before henhouse kept that, has administrators of either kind: all who are not named lose the rights,
    and the log has their names.
    """
    cursor = SessionCursor(db)
    former = set(GIVEN.recall(cursor) or ()).union(GIVEN.beside() or ()) - named
    unsure = set() if GIVEN.is_sure(cursor) else _administrators(db) - named
    # Before JupyterHub gives the rights: whoever has them by the settings is remembered also after a power cut.
    GIVEN.keep(cursor, sorted(named))
    for user in db.query(orm.User).filter(orm.User.name.in_(former | unsure)):
        user.admin = False
        user.roles = [role for role in user.roles if role.name != "admin"]
    db.commit()
    GIVEN.put_aside()
    if left := sorted(unsure - former):
        log.warning(
            "administrators: this database does not say who was one by hub.administrators. %s had the rights, are not "
            "named now, and have them no more; whoever is to have them gets them at the page Admin",
            ", ".join(left),
        )


def _administrators(db: Any) -> set[str]:
    by_role = orm.User.roles.any(orm.Role.name == "admin")
    return {user.name for user in db.query(orm.User).filter(orm.User.admin.is_(True) | by_role)}
