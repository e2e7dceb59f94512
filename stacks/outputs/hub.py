"""The hub's addresses, for people and for their identity provider."""

from stacks.settings import Site


def hub_url(site: Site) -> str:
    """Return where people log in."""
    return f"https://{site.hub.host}"


def callback_url(site: Site) -> str:
    """Return where an identity provider sends people back to (OAuth 2.0 `redirect_uri`, as OAuthenticator has it)."""
    return site.hub.callback_url
