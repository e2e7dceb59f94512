"""A dataset as the file server sees it, and homes as the hub sees them."""

from dataclasses import dataclass
from ipaddress import IPv4Address

import pulumi

from components.contracts.machines import Machine


@dataclass(frozen=True)
class Dataset:
    """A mounted dataset of a pool."""

    name: str
    """For example nest/homes."""
    mountpoint: str
    """For example /nest/homes."""
    mount_unit: str
    """The systemd unit that mounts it: what needs the dataset is bound to it."""
    machine: Machine
    ready: pulumi.Resource


@dataclass(frozen=True)
class HomeProvisioner:
    """The service that makes people's homes, over HTTPS with certificates on both sides.

    `POST /homes/<user name>` makes a home where there is none, and answers {"directory": …, "uid": …, "gid": …}: the
    directory in the volume, and its owner. `GET /status` answers {"free": …, "total": …}: bytes of all homes.
    """

    address: IPv4Address
    port: int
    authority: pulumi.Output[str]
    """PEM: who signed its certificate."""
    client_certificate: pulumi.Output[str]
    """PEM: the only client that it answers."""
    client_key: pulumi.Output[str]
    """PEM, secret."""

    @property
    def url(self) -> str:
        """Its address, as a client has it."""
        return f"https://{self.address}:{self.port}"


@dataclass(frozen=True)
class HomesVolume:
    """People's homes as pods see them, and who makes a home."""

    namespace: pulumi.Output[str]
    """Where the claim is: user servers run there."""
    claim: pulumi.Output[str]
    """Name of the PersistentVolumeClaim. Each home is a directory in it, which the provisioner names."""
    provisioner: HomeProvisioner
    ready: pulumi.Resource
    """The volume can be mounted, and the provisioner answers."""
