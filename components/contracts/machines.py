"""A machine as the rooms see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pulumi
from pydantic import SecretStr

from stacks.settings import AccessSettings, HostSettings


@dataclass(frozen=True)
class SshTarget:
    """Where commands run, and as which user. All of it is constant, so that a connection never makes a difference in a
    plan."""

    name: str
    """The machine's name, for messages."""
    host: str
    """Its address."""
    host_key: str
    """The only key that its SSH server may show."""
    user: str = "root"
    port: int = 22
    private_key: SecretStr | None = None
    """If omitted, the SSH agent is asked."""

    @classmethod
    def of(cls, name: str, host: HostSettings, access: AccessSettings) -> "SshTarget":
        """Return the target for a machine of the settings."""
        return cls(name, str(host.address), host.host_key, access.user, access.port, access.private_key)


@dataclass(frozen=True)
class Machine:
    """A machine whose baseline is in place once `ready` is."""

    name: str
    settings: HostSettings
    target: SshTarget
    ready: pulumi.Resource
    """What further roles on this machine depend on."""
    findings: Mapping[str, str] = field(default_factory=dict)
    """What a probe found on the machines before anything was registered, see `converge.findings`."""

    @property
    def address(self) -> IPv4Address:
        """Its address in the machines' network."""
        return self.settings.address
