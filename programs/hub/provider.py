"""What the logins by identity providers say to JupyterHub in the same way; shipped to the hub beside them."""

from typing import Any

from henhouse_hub import c, secret, site
from membership import Membership
from person import AUTHORITY, introduce


def groups_in(claims: dict[str, Any], claim: str) -> list[str]:
    """Return the names of the groups that a provider says a person is in: a list, or one group by itself.

    A group is a name, or an object with a `name`, as CILogon has them from some institutions' directories.
    """
    found = claims.get(claim) or []
    entries = [found] if isinstance(found, str | dict) else found
    names = [each.get("name") if isinstance(each, dict) else each for each in entries]
    return [each for each in names if isinstance(each, str)]


def configure(authenticator: type[Membership], login: dict[str, Any]) -> None:
    """Say to JupyterHub what the settings of every provider say; `login` is the site's."""
    c.JupyterHub.authenticator_class = authenticator
    said = c[authenticator.__name__]
    for name in ("client_id", "hold_seconds", "brake_seconds", "everybody", "allow_added_users"):
        setattr(said, name, login[name])
    said.scope = list(login["scope"])
    said.client_secret = secret("client-secret")
    said.oauth_callback_url = login["callback_url"]
    # With either the provider is not consulted; a fragment may have said them of every class.
    said.allow_all = False
    said.allow_existing_users = False
    said.named_users = set(login["allowed_users"])
    said.blocked_users = set(login["blocked_users"])
    said.auth_refresh_age = login["check_seconds"]
    said.custom_403_message = "Your account is not among those that may use this hub."
    authority = secret(AUTHORITY) if login["certificate_authority"] else ""
    c.KubeSpawner.auth_state_hook = introduce(login, authority)
    said.http_request_kwargs = {"connect_timeout": 5, "request_timeout": 10}
    if authority:
        said.http_request_kwargs["ca_certs"] = f"{site['secrets_directory']}/{AUTHORITY}"
    if claim := login.get("groups_claim"):
        key = authenticator.user_auth_state_key
        said.manage_groups = True
        said.auth_state_groups_key = lambda state: groups_in(state[key], claim)
        said.allowed_groups = set(login["allowed_groups"])
        said.denied_groups = set(login["denied_groups"])
