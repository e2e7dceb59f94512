"""Any name but an administrator's, and one password."""

from henhouse_hub import c, secret

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.allow_all = True
c.SharedPasswordAuthenticator.user_password = secret("shared-password")
