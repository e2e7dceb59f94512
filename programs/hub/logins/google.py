"""Accounts of Google, of people in the Workspace domains of the settings."""

from typing import Any

from henhouse_hub import c, site
from membership import Membership
from oauthenticator.google import GoogleOAuthenticator
from provider import configure
from tornado.web import HTTPError

login = site["login"]


class Google(Membership, GoogleOAuthenticator):  # type: ignore[misc, unused-ignore]
    """GoogleOAuthenticator that checks logged-in people with the provider again."""

    renewals_last = True

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """Return the address, without the one domain that names go without.

        Refuse an address in it that would be another domain's then: `ada_at_example.org@` is ada@example.org's name.
        """
        name = str(super().user_info_to_username(user_info))
        local, _, domain = name.rpartition("@")
        if domain.lower() != login["strip_domain"]:
            return name
        if local.lower().endswith(tuple(f"_at_{each}" for each in login["hosted_domain"])):
            raise HTTPError(403, "The name %r could be another person's.", local)
        return local


configure(Google, login)
c.Google.account_issuer = "https://accounts.google.com"
c.Google.account_id_claim = "id"
c.Google.hosted_domain = login["hosted_domain"]
# That is done above, for one of several domains: both may have an ada.
c.Google.strip_domain = False
# For a token that renews the login: Google's own ends after an hour.
c.Google.extra_authorize_params = {"access_type": "offline"}
