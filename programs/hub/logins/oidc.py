"""Accounts of any provider of OpenID Connect."""

from henhouse_hub import c, site
from membership import Membership
from oauthenticator.generic import GenericOAuthenticator
from provider import configure

login = site["login"]


class OpenIDConnect(Membership, GenericOAuthenticator):  # type: ignore[misc, unused-ignore]
    """GenericOAuthenticator that checks logged-in people with the provider again."""


configure(OpenIDConnect, login)
c.OpenIDConnect.account_issuer = login["issuer"]
for name in ("login_service", "authorize_url", "token_url", "userdata_url", "username_claim"):
    setattr(c.OpenIDConnect, name, login[name])
