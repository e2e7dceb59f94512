"""Who may log in."""

from henhouse_hub import c, secret, site

c.Authenticator.username_pattern = site["user_name_pattern"]
c.Authenticator.admin_users = set(site["administrators"])
c.Authenticator.allow_all = True
c.Authenticator.enable_auth_state = True

if site["login"] == "native":
    # Everyone may ask for an account, and "all" are those that an administrator has then authorized at /hub/authorize.
    # Administrators need no authorization, so sign up in their names before the address is made known.
    c.JupyterHub.authenticator_class = "native"
    c.NativeAuthenticator.open_signup = False
    c.NativeAuthenticator.minimum_password_length = 10
    c.NativeAuthenticator.check_common_password = True
    c.NativeAuthenticator.allowed_failed_logins = 5
    c.NativeAuthenticator.seconds_before_next_try = 600
elif site["login"] == "dummy":
    # Any name but an administrator's, and one password.
    c.JupyterHub.authenticator_class = "shared-password"
    c.SharedPasswordAuthenticator.user_password = secret("shared-password")
else:
    raise ValueError(f"site.json: login is {site['login']!r}; this fragment knows native and dummy")
