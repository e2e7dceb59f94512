"""Who may log in. How they do is in 21-login.py, which is the file of `programs/hub/logins` that the site uses.

That file also says which people its class lets in: an authenticator that the site brings in a fragment has conditions
of its own, and `allow_all` for every class would end them.
"""

from henhouse_hub import c, site

c.Authenticator.username_pattern = site["user_name_pattern"]
c.Authenticator.admin_users = set(site["administrators"])
c.Authenticator.enable_auth_state = True
