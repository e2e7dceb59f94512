"""Who may log in. How they do is in 21-login.py, which is the file of `programs/hub/logins` that the site uses."""

from henhouse_hub import c, site

c.Authenticator.username_pattern = site["user_name_pattern"]
c.Authenticator.admin_users = set(site["administrators"])
c.Authenticator.allow_all = True
c.Authenticator.enable_auth_state = True
