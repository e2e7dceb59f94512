"""OpenID Connect."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from stacks.settings.logins.provider import GroupsSettings, ProviderUrl
from stacks.settings.types import Line, Word


class OpenIDConnectLoginSettings(GroupsSettings):
    """Accounts of any provider of OpenID Connect, such as Keycloak."""

    type: Literal["oidc"] = "oidc"
    """Selects this way to log in."""
    issuer: ProviderUrl
    """The provider's own name for itself: `issuer` in its `/.well-known/openid-configuration`, as the next three. Whose
    home is whose is kept with it: it must not change."""
    authorize_url: ProviderUrl
    """Its `authorization_endpoint`."""
    token_url: ProviderUrl
    """Its `token_endpoint`."""
    userdata_url: ProviderUrl
    """Its `userinfo_endpoint`."""
    login_service: Line = "OpenID Connect"
    """What people know it by: the button says `Sign in with …`."""
    username_claim: Word = "preferred_username"
    """What people are called by. An `@` becomes `_at_`."""
    allow_all: bool = False
    """Whether everybody with an account there may log in."""
    scope: tuple[Word, ...] = ("openid", "email", "profile")
    """Scopes that the hub requests. With `offline_access`, some give a token by which the hub can ask again for as
    long as the person has an account; without one, it can for as long as the first token is good."""

    fragment: ClassVar[str] = "oidc.py"
    allows: ClassVar[str] = "allowed_groups, such as [staff], allowed_users, or allow_all: true"

    @property
    def lets_everybody_in(self) -> bool:
        return self.allow_all

    @property
    def lets_all_in(self) -> str:
        return "everybody with an account there" if self.allow_all else ""

    @property
    def lets_anyone_in(self) -> bool:
        return bool(self.allow_all or self.allowed_groups or self.allowed_users)

    @model_validator(mode="after")
    def _speaks_openid(self) -> Self:
        if "openid" not in self.scope:
            raise ValueError("scope must have openid: without it the provider does not say who a person is")
        return self
