"""Google."""

from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from stacks.settings.logins.provider import ProviderLoginSettings
from stacks.settings.types import DomainName, Word


class GoogleLoginSettings(ProviderLoginSettings):
    """Accounts of Google."""

    type: Literal["google"] = "google"
    """Selects this way to log in."""
    hosted_domain: tuple[DomainName, ...] = ()
    """Google Workspace domains: people of other domains may not log in, whatever is allowed."""
    allow_all: bool = False
    """Whether everybody in `hosted_domain` may log in."""
    strip_domain: DomainName | Literal["none"] | None = None
    """The one of `hosted_domain` whose people are called what is before the `@` in their address; for all others, the
    `@` becomes `_at_`. `none`: for everybody. May be omitted with one domain, which it then is, and with none. With
    several it is required, and must not change later: people would get other names, and with them other homes."""
    scope: tuple[Word, ...] = ("openid", "email")
    """Scopes that the hub requests from Google."""

    fragment: ClassVar[str] = "google.py"
    allows: ClassVar[str] = "hosted_domain, such as [example.edu], with allow_all: true, or allowed_users"

    @property
    def lets_everybody_in(self) -> bool:
        return self.allow_all

    @property
    def lets_all_in(self) -> str:
        return "everybody in hosted_domain" if self.allow_all else ""

    @property
    def lets_anyone_in(self) -> bool:
        return bool(self.allow_all or self.allowed_users)

    @model_validator(mode="after")
    def _names_stay(self) -> Self:
        """Refuse a second domain by which people would silently get other names."""
        domains = ", ".join(self.hosted_domain)
        if self.strip_domain is None and len(self.hosted_domain) > 1:
            raise ValueError(
                f"strip_domain is missing with several hosted_domain, {domains}: write the one that was alone until "
                "now, or none if there were several; people keep their names and homes then"
            )
        if self.strip_domain not in (None, "none", *self.hosted_domain):
            raise ValueError(f"strip_domain must be one of hosted_domain, which has {domains or 'none'}, or none")
        return self

    @model_validator(mode="after")
    def _asks_who_they_are(self) -> Self:
        if not {"email", "https://www.googleapis.com/auth/userinfo.email"}.intersection(self.scope):
            raise ValueError("scope must have email: without it Google does not say what people are called")
        return self

    def values(self, callback_url: str) -> dict[str, Any]:
        only = self.hosted_domain[0] if len(self.hosted_domain) == 1 else None
        stripped = self.strip_domain or only
        return {**super().values(callback_url), "strip_domain": None if stripped == "none" else stripped}

    @model_validator(mode="after")
    def _not_the_whole_world(self) -> Self:
        if self.allow_all and not self.hosted_domain:
            raise ValueError("allow_all needs hosted_domain, such as [example.edu]: anybody can have a Google account")
        return self
