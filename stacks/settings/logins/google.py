"""Google."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from stacks.settings.logins.provider import ProviderLoginSettings
from stacks.settings.types import DomainName


class GoogleLoginSettings(ProviderLoginSettings):
    """Accounts of Google."""

    type: Literal["google"] = "google"
    """Selects this way to log in."""
    hosted_domain: tuple[DomainName, ...] = ()
    """Google Workspace domains: people of other domains may not log in, whatever is allowed. With one domain, people
    are called what is before the `@` in their address; with none or several, the `@` becomes `_at_`."""
    allow_all: bool = False
    """Whether everybody in `hosted_domain` may log in."""
    scope: tuple[str, ...] = ("openid", "email")
    """Scopes that the hub requests from Google."""

    fragment: ClassVar[str] = "google.py"
    allows: ClassVar[str] = "hosted_domain, such as [example.edu], with allow_all: true, or allowed_users"

    @property
    def lets_everybody_in(self) -> bool:
        return self.allow_all

    @property
    def lets_anyone_in(self) -> bool:
        return bool(self.allow_all or self.allowed_users)

    @model_validator(mode="after")
    def _not_the_whole_world(self) -> Self:
        if self.allow_all and not self.hosted_domain:
            raise ValueError("allow_all needs hosted_domain, such as [example.edu]: anybody can have a Google account")
        return self
