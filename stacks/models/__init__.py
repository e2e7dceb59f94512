"""The settings of a site, as types."""

from collections.abc import Mapping

from pydantic import Field

from stacks.models.base import DomainName, HostName, Model, TimeZone
from stacks.models.cluster import Calico, Cluster
from stacks.models.hosts import Access, AptRepository, Host, Mirrors, Network, Purpose
from stacks.models.hub import Certificate, Edge, Hub, Monitoring, Size
from stacks.models.storage import Homes, Pool, Storage, Vdev

__all__ = [
    "Access",
    "AptRepository",
    "Calico",
    "Certificate",
    "Cluster",
    "Edge",
    "Homes",
    "Host",
    "Hub",
    "Mirrors",
    "Model",
    "Monitoring",
    "Network",
    "Pool",
    "Purpose",
    "Site",
    "Size",
    "Storage",
    "Vdev",
]


class Site(Model):
    """Everything that one stack's file says, under `henhouse:`."""

    lab: bool = False
    """True for a virtual rack. Only then are the lab's own engine plugins and the `dummy` login accepted."""
    domain: DomainName
    """The site's DNS zone; the hub's name is in it."""
    time_zone: TimeZone = "Etc/UTC"
    """Time zone of the machines: a name of the tz database that Debian 13 installs, such as `Europe/Berlin`."""
    access: Access = Access()
    """How the program logs in to the machines."""
    network: Network
    """The address plan."""
    mirrors: Mirrors
    """Where packages and images come from."""
    hosts: dict[HostName, Host] = Field(min_length=1)
    """The machines by name."""
    storage: Storage
    """People's data."""
    cluster: Cluster = Cluster()
    """Kubernetes."""
    hub: Hub
    """JupyterHub."""
    edge: Edge
    """The way in."""
    monitoring: Monitoring = Monitoring()
    """The watch."""

    @property
    def gateway(self) -> str:
        """Name of the machine with the duty gateway; the checks see to it that there is exactly one."""
        return next(name for name, host in self.hosts.items() if "gateway" in host.duties)

    @property
    def control_planes(self) -> Mapping[str, Host]:
        """The machines that run the API server, by name in order."""
        return {name: host for name, host in sorted(self.hosts.items()) if host.is_control_plane}

    @property
    def nodes(self) -> Mapping[str, Host]:
        """The machines of the cluster, by name in order."""
        return {name: host for name, host in sorted(self.hosts.items()) if host.is_node}

    def workers_for(self, purpose: Purpose) -> Mapping[str, Host]:
        """The machines that take pods of this purpose, by name in order."""
        return {name: host for name, host in sorted(self.hosts.items()) if host.takes(purpose)}
