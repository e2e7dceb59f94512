"""Who may log in. How they do is in 21-login.py, which is the file of `programs/hub/logins` that the site uses.

That file, too, says whom its class lets in. Said here, of every class, it would hold for an authenticator that the site
brings in a fragment, whatever conditions that one has.
"""

from henhouse_hub import c, site

c.Authenticator.username_pattern = site["user_name_pattern"]
c.Authenticator.admin_users = set(site["administrators"])
c.Authenticator.enable_auth_state = True
