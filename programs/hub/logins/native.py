"""Accounts with passwords that the hub keeps."""

from henhouse_hub import c

# Everyone may ask for an account, and "all" are those that an administrator has then authorized at /hub/authorize.
# Administrators need no authorization, so sign up in their names before the address is made known.
c.JupyterHub.authenticator_class = "native"
c.NativeAuthenticator.open_signup = False
c.NativeAuthenticator.minimum_password_length = 10
c.NativeAuthenticator.check_common_password = True
c.NativeAuthenticator.allowed_failed_logins = 5
c.NativeAuthenticator.seconds_before_next_try = 600
