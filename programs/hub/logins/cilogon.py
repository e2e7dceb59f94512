"""Accounts of universities and others, by CILogon."""

from henhouse_hub import c, site
from membership import Membership
from oauthenticator.cilogon import CILogonOAuthenticator
from provider import configure

login = site["login"]


class CILogon(Membership, CILogonOAuthenticator):  # type: ignore[misc, unused-ignore]
    """CILogonOAuthenticator that checks logged-in people with the provider again."""


configure(CILogon, login)
c.CILogon.account_issuer = f"https://{login['cilogon_host']}"
c.CILogon.cilogon_host = login["cilogon_host"]
c.CILogon.idps = login["idps"]
