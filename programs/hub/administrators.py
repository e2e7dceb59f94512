"""Who is an administrator no more; shipped to the hub beside its configuration."""

import json
from typing import Any

from database import remembered
from henhouse_hub import site
from jupyterhub import orm
from keeping import write_whole

FORMER = remembered(site["directory"], "administrators.json", site["database_url"])
"""Who the administrators were when the hub last started."""


def demote_former(db: Any, named: set[str]) -> None:
    """Take the rights from administrators whose names the settings no longer hold; JupyterHub keeps them."""
    former = set(json.loads(FORMER.read_text())) if FORMER.exists() else set()
    for user in db.query(orm.User).filter(orm.User.name.in_(former - named)):
        user.admin = False
        user.roles = [role for role in user.roles if role.name != "admin"]
    db.commit()
    write_whole(FORMER, sorted(named))
