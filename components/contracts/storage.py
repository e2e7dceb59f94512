"""A dataset as the file server sees it, and homes as the hub sees them."""

from dataclasses import dataclass

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
class HomesVolume:
    """People's homes as pods see them, and who makes a home."""

    namespace: pulumi.Output[str]
    """Where the claim is: people's servers run there."""
    claim: pulumi.Output[str]
    """Name of the PersistentVolumeClaim. A home is the directory of its owner's name in it."""
    maker_url: pulumi.Output[str]
    """`POST <maker_url>/homes/<user name>` makes a home if there is none and answers {"uid": …, "gid": …}. Mutual
    TLS."""
    maker_ca: pulumi.Output[str]
    """PEM: who signed the maker's certificate."""
    client_certificate: pulumi.Output[str]
    """PEM: the only client that the home provisioner answers."""
    client_key: pulumi.Output[str]
    """PEM, secret."""
    ready: pulumi.Resource
