"""The settings of a site, as types."""

from collections.abc import Mapping
from ipaddress import IPv4Network

from pydantic import Field

from stacks.settings.access import SSH_PORT, AccessSettings, Jump, JumpSettings
from stacks.settings.certificate import AuthorityCertificateSettings, SuppliedCertificateSettings
from stacks.settings.cluster import BgpSettings, CalicoSettings, ClusterSettings
from stacks.settings.edge import EdgeSettings
from stacks.settings.hosts import HostSettings, Purpose
from stacks.settings.hub import HubSettings, SizeSettings
from stacks.settings.image_menu import ImageMenuSettings
from stacks.settings.interfaces import BondSettings, InterfaceSettings, VlanSettings
from stacks.settings.logins.base import LoginSettings
from stacks.settings.menu import NamedSizeSettings, OverrideSettings, ProfileSettings
from stacks.settings.mirrors import AptRepositorySettings, MirrorsSettings
from stacks.settings.monitoring import MonitoringSettings
from stacks.settings.network import DnsSettings, NetworkSettings, OpeningSettings
from stacks.settings.receivers import (
    AnyReceiver,
    MailReceiverSettings,
    SlackReceiverSettings,
    WebhookReceiverSettings,
)
from stacks.settings.shares import ShareSettings
from stacks.settings.storage import HomesSettings, PoolSettings, StorageSettings, VdevSettings
from stacks.settings.types import DomainName, HostName, Model, TimeZone

__all__ = [
    "AccessSettings",
    "AnyReceiver",
    "AptRepositorySettings",
    "AuthorityCertificateSettings",
    "BgpSettings",
    "BondSettings",
    "CalicoSettings",
    "ClusterSettings",
    "DnsSettings",
    "EdgeSettings",
    "HomesSettings",
    "HostSettings",
    "HubSettings",
    "ImageMenuSettings",
    "InterfaceSettings",
    "Jump",
    "JumpSettings",
    "LoginSettings",
    "MailReceiverSettings",
    "MirrorsSettings",
    "Model",
    "MonitoringSettings",
    "NamedSizeSettings",
    "NetworkSettings",
    "OpeningSettings",
    "OverrideSettings",
    "PoolSettings",
    "ProfileSettings",
    "Purpose",
    "ShareSettings",
    "Site",
    "SizeSettings",
    "SlackReceiverSettings",
    "StorageSettings",
    "SuppliedCertificateSettings",
    "VdevSettings",
    "VlanSettings",
    "WebhookReceiverSettings",
]


class Site(Model):
    """Everything that one stack's file says, under `henhouse:`."""

    lab: bool = False
    """True for a virtual rack. Only then are the lab's own engine plugins and the `dummy` login accepted."""
    domain: DomainName
    """The site's DNS zone; the hub's name is in it."""
    time_zone: TimeZone = "Etc/UTC"
    """Time zone of the machines: a name of the tz database that Debian 13 installs, such as `Europe/Berlin`."""
    access: AccessSettings = AccessSettings()
    """How the program logs in to the machines."""
    network: NetworkSettings
    """The address plan."""
    mirrors: MirrorsSettings = MirrorsSettings()
    """Where packages and images come from."""
    hosts: dict[HostName, HostSettings] = Field(min_length=1)
    """The machines by name."""
    storage: StorageSettings
    """People's data."""
    cluster: ClusterSettings = ClusterSettings()
    """Kubernetes."""
    hub: HubSettings
    """JupyterHub."""
    edge: EdgeSettings
    """The way in."""
    monitoring: MonitoringSettings = MonitoringSettings()
    """Prometheus and Alertmanager."""

    @property
    def further_addresses(self) -> tuple[IPv4Network, ...]:
        """Addresses that machines have in other networks than the plan's, such as one for storage alone."""
        interfaces = (each for host in self.hosts.values() for each in host.interfaces.values())
        found = {IPv4Network(address.ip) for each in interfaces for address in each.addresses}
        return tuple(sorted(each for each in found if not each.subnet_of(self.network.machines)))

    @property
    def gateway(self) -> str:
        """Name of the machine with the duty gateway; the checks see to it that there is exactly one."""
        return next(name for name, host in self.hosts.items() if "gateway" in host.duties)

    @property
    def jump(self) -> Jump | None:
        """The machine through which the others are reached; the checks see to it that it is whole."""
        given = self.access.jump
        if given is None:
            return None
        if given.machine is None:
            host, key = str(given.host), str(given.host_key)
            return Jump(host, host, given.port or SSH_PORT, given.user or self.access.user, key, given.tunnel_port)
        machine = self.hosts[given.machine]
        return Jump(
            given.machine,
            given.host or str(machine.address),
            given.port or self.access.port,
            self.access.user,
            machine.host_key,
            given.tunnel_port,
            given.machine,
        )

    @property
    def behind_gateway(self) -> tuple[str, ...]:
        """Names of all other machines."""
        return tuple(name for name in self.hosts if name != self.gateway)

    @property
    def control_planes(self) -> Mapping[str, HostSettings]:
        """The machines that run the API server, by name in order."""
        return {name: host for name, host in sorted(self.hosts.items()) if host.is_control_plane}

    @property
    def nodes(self) -> Mapping[str, HostSettings]:
        """The machines of the cluster, by name in order."""
        return {name: host for name, host in sorted(self.hosts.items()) if host.is_node}

    def workers_for(self, purpose: Purpose) -> Mapping[str, HostSettings]:
        """Return the machines that take pods of this purpose, by name in order."""
        return {name: host for name, host in sorted(self.hosts.items()) if host.takes(purpose)}
