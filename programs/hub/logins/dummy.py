"""Any name but an administrator's, and one password."""

from typing import Any

from administrators import demote_former
from henhouse_hub import c, secret
from jupyterhub.authenticators.shared import SharedPasswordAuthenticator


class SharedPassword(SharedPasswordAuthenticator):  # type: ignore[misc, unused-ignore]
    """SharedPasswordAuthenticator that knows who is an administrator no more: their name is one of many then."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        demote_former(self.db, set(self.admin_users), self.log)


c.JupyterHub.authenticator_class = SharedPassword
c.SharedPasswordAuthenticator.allow_all = True
c.SharedPasswordAuthenticator.user_password = secret("shared-password")
