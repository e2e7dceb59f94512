"""What every way to log in answers."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any, ClassVar

from stacks.settings.types import Model


class LoginSettings(Model):
    """What every way to log in answers."""

    fragment: ClassVar[str]
    """The file in `programs/hub/logins` that configures it."""
    modules: ClassVar[tuple[str, ...]] = ()
    """What the fragment imports, files of `programs/hub`, beside what all fragments do."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """What the fragment reads by `secret(name)`: names in `stacks.secrets.SiteSecrets.login`."""
    only_in_a_lab: ClassVar[str] = ""
    """Why a site with people must not use it; empty if it may."""
    numbers_accounts: ClassVar[bool] = False
    """Whether people get numeric ids from their accounts at a provider, instead of the file server's next."""
    first: ClassVar[str]
    """How the administrator logs in first: {url}, {administrator} and the names of secrets stand for their values."""

    def values(self, callback_url: str) -> dict[str, Any]:
        """Return what the fragment reads as `site["login"]`; nothing in it is secret."""
        return self.model_dump(mode="json")

    @property
    def provider_networks(self) -> tuple[IPv4Network, ...]:
        """Where the hub asks who a person is, over HTTPS; nowhere, where it knows that itself."""
        return ()

    @property
    def provider_ports(self) -> tuple[int, ...]:
        """At which ports it asks there."""
        return ()

    @property
    def given(self) -> Mapping[str, str]:
        """Those of `secrets` that the settings hold; the stack makes the others."""
        return {}
