"""CILogon."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from stacks.settings.logins.provider import GroupsSettings
from stacks.settings.types import DomainName, Model, Word, spelled


class UsernameDerivation(Model):
    """What CILogon's people are called. Names and meanings are those of OAuthenticator."""

    username_claim: Word = "eppn"
    """What names a person: `eppn` at most universities, `email`, or `preferred_username` at GitHub."""
    action: Literal["strip_idp_domain", "prefix"] | None = None
    """`strip_idp_domain`: leave `@domain` away. `prefix`: put `prefix_` before the name. If omitted, an `@` becomes
    `_at_`."""
    domain: DomainName | None = None
    """What `strip_idp_domain` leaves away."""
    prefix: (
        Annotated[
            str,
            spelled(
                r"^[a-z][a-z0-9-]{0,15}$", "up to 16 small letters, digits and hyphens, a letter first, such as ex"
            ),
        ]
        | None
    ) = None
    """What `prefix` puts before."""

    @model_validator(mode="after")
    def _action_has_what_it_needs(self) -> Self:
        for action, needed in (("strip_idp_domain", "domain"), ("prefix", "prefix")):
            if (self.action == action) != (getattr(self, needed) is not None):
                raise ValueError(f"{needed} goes with action: {action}, and {action} with {needed}")
        return self


class IdentityProviderSettings(Model):
    """One of CILogon's identity providers, and who of its people may log in."""

    username_derivation: UsernameDerivation = UsernameDerivation()
    """What its people are called."""
    allow_all: bool = False
    """Whether all its people may log in."""
    allowed_domains: tuple[DomainName, ...] = ()
    """Domains, behind the `@`, whose people may log in."""
    default: bool = False
    """Whether people find it chosen already."""

    @model_validator(mode="after")
    def _allows_what_it_says(self) -> Self:
        if self.allow_all and self.allowed_domains:
            raise ValueError(
                "allow_all lets in all its people, whatever allowed_domains says: remove allow_all, or allowed_domains"
            )
        return self


EntityId = Annotated[
    str,
    spelled(
        r"^(https?://|urn:)[!-~]+$", "an EntityID of https://cilogon.org/idplist, such as urn:mace:incommon:example.edu"
    ),
]
"""An identity provider's name, from https://cilogon.org/idplist."""


class CILogonLoginSettings(GroupsSettings):
    """Accounts of universities, laboratories and others, by CILogon."""

    type: Literal["cilogon"] = "cilogon"
    """Selects this way to log in."""
    idps: dict[EntityId, IdentityProviderSettings] = Field(min_length=1)
    """Where people may come from, by `EntityID` (https://cilogon.org/idplist)."""
    groups_claim: Word = "isMemberOf"
    """What CILogon calls the list of a person's groups. They are the person's groups in the hub, too.
    Of an entry that is an object, such as {name: staff, id: 1363}, the name counts and the number does not."""
    cilogon_host: DomainName = "cilogon.org"
    """Where CILogon is."""
    scope: tuple[Word, ...] = ("openid", "email", "org.cilogon.userinfo", "profile")
    """Scopes that the hub requests from CILogon."""

    fragment: ClassVar[str] = "cilogon.py"
    allows: ClassVar[str] = "allow_all: true or allowed_domains of one of idps, allowed_groups or allowed_users"

    @model_validator(mode="after")
    def _one_default(self) -> Self:
        chosen = [name for name, each in self.idps.items() if each.default]
        if len(chosen) > 1:
            raise ValueError(f"idps has several that are the default, {' and '.join(chosen)}: leave one of them")
        return self

    @property
    def lets_all_in(self) -> str:
        return "all people of each of idps" if all(each.allow_all for each in self.idps.values()) else ""

    @property
    def lets_anyone_in(self) -> bool:
        by_provider = any(each.allow_all or each.allowed_domains for each in self.idps.values())
        return bool(by_provider or self.allowed_groups or self.allowed_users)

    def values(self, callback_url: str) -> dict[str, Any]:
        # OAuthenticator refuses what is null.
        idps = {name: each.model_dump(mode="json", exclude_none=True) for name, each in self.idps.items()}
        return {**super().values(callback_url), "idps": idps}
