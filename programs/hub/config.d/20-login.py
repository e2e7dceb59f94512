"""Who may log in. How they do is in 21-login.py, which is the file of `programs/hub/logins` that the site uses.

That file also says which people its class lets in: an authenticator that the site brings in a fragment has conditions
of its own, and `allow_all` for every class would end them.
"""

from typing import Any

from henhouse_hub import c, site
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from sqlalchemy import event
from tornado.web import HTTPError

c.Authenticator.username_pattern = site["user_name_pattern"]
c.Authenticator.admin_users = set(site["administrators"])
c.Authenticator.enable_auth_state = True


@event.listens_for(orm.User.name, "set", active_history=True)  # type: ignore[untyped-decorator, unused-ignore]
def _renamed(_user: Any, name: Any, before: Any, _initiator: Any) -> None:
    """Refuse another name that no person can have: JupyterHub looks at names of people that are added alone.

    Names are in those of files, such as `../jupyterhub.sqlite`.
    """
    if isinstance(before, str) and before != name:
        authenticator = JupyterHub.instance().authenticator
        if authenticator.normalize_username(name) != name or not authenticator.validate_username(name):
            raise HTTPError(400, "%r cannot be a name here", name)
