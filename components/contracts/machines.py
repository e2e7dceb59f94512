"""A machine as the rooms see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final

import pulumi
from pydantic import SecretStr

from stacks.settings import AccessSettings, HostSettings, Jump
from stacks.settings.access import ROOT

KEPT_HOSTS: Final = "/etc/henhouse/hosts"
"""Files whose path begins so hold lines that a machine puts back into its /etc/hosts whenever those are gone."""


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
    """If omitted, the SSH agent's keys are used."""
    jump: "SshTarget | None" = None
    """The machine through which it is reached; if omitted, directly."""

    @classmethod
    def of(cls, name: str, host: HostSettings, access: AccessSettings, jump: Jump | None = None) -> "SshTarget":
        """Return the target for a machine of the settings. The jump itself is reached as it is from outside."""
        first = cls.of_jump(jump, access) if jump else None
        if first and jump and jump.machine == name:
            return first
        return cls(name, str(host.address), host.host_key, access.user, access.port, access.private_key, first)

    @classmethod
    def of_jump(cls, jump: Jump, access: AccessSettings) -> "SshTarget":
        """Return the target for the jump."""
        return cls(jump.name, jump.host, jump.host_key, jump.user, jump.port, access.private_key)

    @property
    def is_root(self) -> bool:
        """Whether the login may change the machine without sudo."""
        return self.user == ROOT


@dataclass(frozen=True)
class Machine:
    """A machine whose baseline is in place once `ready` is."""

    name: str
    settings: HostSettings
    target: SshTarget
    ready: pulumi.Resource
    """What further roles on this machine depend on."""
    machine_id: pulumi.Input[str]
    """machine-id(5): another one after the machine was reinstalled."""
    findings: Mapping[str, str] = field(default_factory=dict)
    """What a probe found on the machines before anything was registered, see `converge.findings`."""

    @property
    def address(self) -> IPv4Address:
        """Its address in the machines' network."""
        return self.settings.address
