"""A dataset as the file server sees it; homes and shared directories as the hub sees them."""

from collections.abc import Sequence
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
    ready: Sequence[pulumi.Resource]
    """With these the volume can be mounted, and the provisioner answers. No role of a worker is among them, and none
    of a shared directory."""


@dataclass(frozen=True)
class SharedVolume:
    """A directory that people share, as pods see it, and who has it. The claim is where that of the homes is."""

    name: str
    """For example project."""
    claim: pulumi.Output[str]
    """Name of the PersistentVolumeClaim, of which a pod mounts the whole."""
    mount_path: str
    """Where a pod mounts it."""
    read_only: bool
    """Whether no pod can write there."""
    groups: tuple[str, ...]
    """Groups of the hub whose members have it; everyone, if there are none."""
    write_groups: tuple[str, ...]
    """Groups whose members write there; everyone who has it, if there are none. They have it, too."""
    gid: int | None
    """The numeric group that owns it, which a member's pod has; None where everyone reads it."""
