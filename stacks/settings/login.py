"""How people log in. Each way is a type, which answers for itself what others would have to compare words for."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, HttpUrl, SecretStr, StringConstraints, model_validator

from stacks.settings.types import Model, PublicUrl

GitHubGroup = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}(:[a-z0-9]([a-z0-9_-]*[a-z0-9])?)?$")
]
"""An organization of GitHub, or a team of one as `organization:team`."""


class LoginSettings(Model):
    """What every way to log in answers."""

    fragment: ClassVar[str]
    """The file in `programs/hub/logins` that configures it."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """What the fragment reads by `secret(name)`: names in `stacks.secrets.SiteSecrets.login`."""
    only_in_a_lab: ClassVar[str] = ""
    """Why a site with people must not use it; empty if it may."""
    first: ClassVar[str]
    """What the administrator is told: {url}, {administrator} and the names of secrets stand for their values."""

    @property
    def provider_networks(self) -> tuple[IPv4Network, ...]:
        """Where the hub asks who a person is, over HTTPS; nowhere, where it knows that itself."""
        return ()

    @property
    def given(self) -> Mapping[str, str]:
        """Those of `secrets` that the settings hold; the stack makes the others."""
        return {}


class NativeLoginSettings(LoginSettings):
    """Accounts with passwords that the hub keeps.

    Those of `administrators` exist from the first start on, with the passwords in the stack's output `administrators`.
    """

    type: Literal["native"] = "native"
    """Selects this way to log in."""
    enable_signup: bool = False
    """Whether people may ask for an account at /hub/signup; an administrator has to authorize each. If false,
    administrators add people at /hub/admin and set their passwords at /hub/change-password/<name>."""

    fragment: ClassVar[str] = "native.py"
    secrets: ClassVar[tuple[str, ...]] = ("administrators",)
    first: ClassVar[str] = "log in at {url} as {administrator}, with the password in the output administrators"


class DummyLoginSettings(LoginSettings):
    """Any name with one shared password. Only a lab may use it."""

    type: Literal["dummy"] = "dummy"
    """Selects this way to log in."""

    fragment: ClassVar[str] = "dummy.py"
    secrets: ClassVar[tuple[str, ...]] = ("shared-password",)
    only_in_a_lab: ClassVar[str] = "lets anyone in with one password"
    first: ClassVar[str] = "any name, password {shared-password}"


class ProviderLoginSettings(LoginSettings):
    """What every login by an identity provider needs. Names are those of OAuthenticator."""

    client_id: str = Field(min_length=1)
    """What the provider calls this hub. Register it there with the callback URL in the stack's outputs."""
    client_secret: SecretStr
    """What the hub shows to the provider: `pulumi config set --secret --path 'henhouse:hub.login.client_secret'`."""
    allowed_users: tuple[str, ...] = ()
    """Names that may log in whatever else is asked of people."""
    check_seconds: int = Field(default=300, ge=10)
    """How often the provider is asked again about people who are logged in. Whoever it no longer vouches for has their
    server stopped within this time."""
    hold_seconds: int = Field(default=24 * 3600, ge=0)
    """How long the provider's last answer holds while it is down or asks for patience. Running servers go on after
    that, too; people have to log in again."""
    networks: tuple[IPv4Network, ...] = (IPv4Network("0.0.0.0/0"),)
    """Where the provider answers, on port 443. By default anywhere on the internet: a network policy knows addresses,
    no names. A provider inside the site's own networks has to be named, as `192.0.2.10/32`."""

    secrets: ClassVar[tuple[str, ...]] = ("client-secret",)
    first: ClassVar[str] = "log in at {url}; {administrator} is an administrator"

    @property
    def provider_networks(self) -> tuple[IPv4Network, ...]:
        return self.networks

    @property
    def given(self) -> Mapping[str, str]:
        return {"client-secret": self.client_secret.get_secret_value()}


class GitHubLoginSettings(ProviderLoginSettings):
    """Accounts of GitHub, or of a GitHub Enterprise Server."""

    type: Literal["github"] = "github"
    """Selects this way to log in."""
    url: PublicUrl = HttpUrl("https://github.com")
    """Where GitHub is."""
    allowed_organizations: tuple[GitHubGroup, ...] = ()
    """Organizations whose members may log in, or teams as `organization:team`, spelled as in their addresses."""
    denied_organizations: tuple[GitHubGroup, ...] = ()
    """Organizations and teams whose members may not log in. They win over what is allowed. Somebody whose membership
    GitHub does not let the hub see is refused."""
    scope: tuple[Literal["read:user", "user:email", "read:org", "public_repo", "repo"], ...] = (
        "read:user",
        "user:email",
        "read:org",
    )
    """What people are asked to let the hub do. Without `read:org` only public memberships count."""

    fragment: ClassVar[str] = "github.py"

    @model_validator(mode="after")
    def _somebody_may_log_in(self) -> Self:
        if not (self.allowed_organizations or self.allowed_users):
            raise ValueError(
                "lets nobody in: name allowed_organizations or allowed_users, such as allowed_organizations: [my-lab]"
            )
        return self


def _named(value: Any) -> Any:
    """Take the name of a way to log in for all its defaults."""
    return {"type": value} if isinstance(value, str) else value


AnyLogin = Annotated[
    NativeLoginSettings | DummyLoginSettings | GitHubLoginSettings,
    Field(discriminator="type"),
    BeforeValidator(
        _named,
        json_schema_input_type=Literal["native", "dummy"]
        | NativeLoginSettings
        | DummyLoginSettings
        | GitHubLoginSettings,
    ),
]
"""One of the ways to log in: `login: native` is short for `login: {type: native}`."""
