"""What logins by an identity provider have in common."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, Field, HttpUrl, model_validator

from programs.homes.names import ACCOUNT_UIDS, ORGANIZATION_GIDS
from stacks.settings.authorities import TrustedCertificates
from stacks.settings.logins.base import LoginSettings
from stacks.settings.shares import SHARE_GIDS
from stacks.settings.types import GroupName, SecretWord, UserName, Word
from stacks.settings.urls import HTTPS, PublicUrl

WELL_KNOWN: Final = "/.well-known/openid-configuration"
"""Where a provider of OpenID Connect says what its addresses are (OpenID Connect Discovery 1.0, 4)."""


def _over_tls(url: HttpUrl) -> HttpUrl:
    if url.scheme != "https":
        raise ValueError("must begin with https://, or anybody on the way could log in as anybody")
    if WELL_KNOWN in (url.path or ""):
        raise ValueError("must be the address that this file has under the setting's name, and not that of the file")
    return url


ProviderUrl = Annotated[PublicUrl, AfterValidator(_over_tls)]
"""An address of an identity provider."""


LONGEST_AUTHORITY: Final = 64 * 1024
"""Characters. It is among the annotations of user servers, which may have 256 KiB in all."""


class ProviderLoginSettings(LoginSettings):
    """What every login by an identity provider needs. Names are those of OAuthenticator."""

    client_id: Word
    """What the provider calls this hub. Register it there with the stack's output `hub_callback_url`."""
    client_secret: SecretWord
    """What the hub shows to the provider: `pulumi config set --secret --path 'henhouse:hub.login.client_secret'`."""
    allowed_users: tuple[UserName, ...] = ()
    """Names, as the hub has them, that may log in without any other condition. Whoever has the name at the provider
    is meant: prefer groups where people may change their names."""
    blocked_users: tuple[UserName, ...] = ()
    """Names that may not log in. They win over everything that is allowed."""
    allow_added_users: bool = True
    """Whether people that an administrator adds on the page Admin, by the name that the hub has for them, may log in as
    those of `allowed_users`, until they are deleted there. A service with `admin:users` can add people, too."""
    check_seconds: int = Field(default=300, ge=10)
    """How often the hub asks the provider again about people who are logged in. The servers of people
    that it no longer vouches for stop within this time, but see `brake_seconds`."""
    hold_seconds: int = Field(default=24 * 3600, ge=0)
    """How long the provider's last answer holds while it is down, asks for patience, or its token for the person has
    ended. People have to log in again after that. Servers keep running while the provider is down; they end when the
    token did."""
    brake_seconds: int = Field(default=3600, ge=0, le=24 * 3600)
    """How long servers run on when the provider says no about many people at once, as after a team was renamed there:
    more than four, and more than a fifth of those with a server. For each person it counts from the first no about
    them. With 0 their servers stop as those of fewer people do (docs/hub.md)."""
    networks: tuple[IPv4Network, ...] = Field(default=(IPv4Network("0.0.0.0/0"),), min_length=1)
    """Where the provider answers, at the port of its address. By default anywhere on the internet: a network policy
    knows addresses, no names. A provider inside the site's own networks has to be named, as `192.0.2.10/32`."""
    git_identity: bool = True
    """Whether git in user servers has the person's name and e-mail address from the provider; where the account at
    GitHub publishes none, GitHub's own for it, `id+login@users.noreply.github.com`. Their own ~/.gitconfig wins."""
    identity_variables: bool = True
    """Whether user servers have EXTERNAL_UID and EXTERNAL_GROUPS, and with GitHub GITHUB_ID, GITHUB_LOGIN,
    GITHUB_NAME and GITHUB_EMAIL, as variables (docs/hub.md). `hub.singleuser.extraEnv` wins."""
    certificate_authority: Annotated[TrustedCertificates, Field(max_length=LONGEST_AUTHORITY)] | None = None
    """The authority that signed the provider's certificate, PEM, where it is one of the site's own."""

    modules: ClassVar[tuple[str, ...]] = (
        "admission.py",
        "answers.py",
        "brake.py",
        "entry.py",
        "membership.py",
        "person.py",
        "provider.py",
        "revocation.py",
        "rounds.py",
    )
    secrets: ClassVar[tuple[str, ...]] = ("client-secret",)
    first: ClassVar[str] = "log in at {url}; {administrator} is an administrator"
    allows: ClassVar[str]
    """The settings that let people in, for whoever has set none of them."""

    def values(self, callback_url: str) -> dict[str, Any]:
        return {
            **self.model_dump(mode="json", exclude={"client_secret"}),
            "certificate_authority": self.certificate_authority is not None,
            "everybody": self.lets_everybody_in,
            "callback_url": callback_url,
            "uids": [ACCOUNT_UIDS.start, ACCOUNT_UIDS.stop],
            "gids": [ORGANIZATION_GIDS.start, SHARE_GIDS.start],
        }

    @property
    def lets_everybody_in(self) -> bool:
        """Whether everybody with an account at the provider may log in."""
        return False

    @property
    def lets_all_in(self) -> str:
        """Who comes in by `allow_all`, in words; empty where it is not set, or not for all who can come."""
        return ""

    @property
    def lets_anyone_in(self) -> bool:
        """Whether anybody may log in at all."""
        return bool(self.allowed_users)

    @property
    def provider_networks(self) -> tuple[IPv4Network, ...]:
        return self.networks

    @property
    def provider_ports(self) -> tuple[int, ...]:
        addresses = [each for _, each in self if isinstance(each, HttpUrl)]
        return tuple(sorted({each.port or HTTPS for each in addresses} or {HTTPS}))

    @property
    def given(self) -> Mapping[str, str]:
        authority = {"provider-ca.crt": self.certificate_authority} if self.certificate_authority else {}
        return {"client-secret": self.client_secret.get_secret_value(), **authority}

    @model_validator(mode="after")
    def _someone_may_log_in(self) -> Self:
        if not self.lets_anyone_in:
            raise ValueError(f"lets no one in: set {self.allows}")
        return self

    @model_validator(mode="after")
    def _allows_what_it_says(self) -> Self:
        """Refuse conditions beside `allow_all`, which reads as if people had to meet them, too."""
        conditions = [name for name in ("allowed_groups", "allowed_users") if getattr(self, name, ())]
        if self.lets_all_in and conditions:
            named = " and ".join(conditions)
            raise ValueError(
                f"allow_all lets in {self.lets_all_in}, whatever {named} say: remove allow_all, or {named}"
            )
        return self


class GroupsSettings(ProviderLoginSettings):
    """What the logins have in common whose providers say which groups a person is in."""

    groups_claim: Word = "groups"
    """What the provider calls the list of a person's groups. They are the person's groups in the hub, too.
    Of an entry that is an object, such as {name: staff, id: 1363}, the name counts and the number does not."""
    allowed_groups: tuple[GroupName, ...] = ()
    """Groups whose members may log in."""
    denied_groups: tuple[GroupName, ...] = ()
    """Groups whose members may not log in. They win over everything that is allowed."""
