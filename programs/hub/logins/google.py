"""Accounts of Google, of people in the Workspace domains of the settings."""

from henhouse_hub import c, site
from membership import Membership
from oauthenticator.google import GoogleOAuthenticator
from provider import configure

login = site["login"]


class Google(Membership, GoogleOAuthenticator):  # type: ignore[misc, unused-ignore]
    """GoogleOAuthenticator that checks logged-in people with the provider again."""


configure(Google, login)
c.Google.account_issuer = "https://accounts.google.com"
c.Google.account_id_claim = "id"
c.Google.hosted_domain = login["hosted_domain"]
# Of two domains, both may have an ada.
c.Google.strip_domain = len(login["hosted_domain"]) == 1
# For a token that renews the login: Google's own ends after an hour.
c.Google.extra_authorize_params = {"access_type": "offline"}
