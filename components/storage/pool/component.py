"""ZfsPool: the disks of one machine as a pool with a dataset for people's homes."""

from collections.abc import Mapping, Sequence

import pulumi

from components.contracts.machines import Machine
from components.contracts.storage import Dataset
from components.contracts.watched import Watched, alert_rules
from components.storage.pool import topology
from components.storage.pool.roles import pool_role, zfs_role
from components.storage.pool.units import unit_name
from converge.host_state import apply
from stacks.settings import Site


class _Disk(pulumi.ComponentResource):
    """One disk, so that every plan lists it and names it when it comes, goes or changes its place."""

    def __init__(self, name: str, disk: str, place: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("henhouse:storage:Disk", name, {"id": disk, "place": place}, opts)
        self.register_outputs({"id": disk, "place": place})


class ZfsPool(pulumi.ComponentResource):
    """A pool that is imported where it exists, created on blank disks only, and never taken apart.

    Whatever happens to this resource, the pool stays: it is protected, and only forgotten when its protection is
    lifted.
    """

    homes: Dataset
    """The dataset with people's homes, mounted."""
    shares: Mapping[str, Dataset]
    """The datasets that people share, by name, mounted."""
    guid: pulumi.Output[str]
    """The pool's own identity, which a pool of the same name on other disks does not have."""
    disks: Sequence[str]
    """Every disk that belongs to the pool."""
    watched: Watched
    """Alert rules alone: the pool's condition is among what the machine's node exporter says (`henhouse_zpool_*`)."""

    def __init__(self, name: str, site: Site, on: Machine, opts: pulumi.ResourceOptions | None = None) -> None:
        settings = site.storage.pool
        disks = topology.disks(settings)
        super().__init__("henhouse:storage:ZfsPool", name, {"pool": settings.name, "disks": list(disks)}, opts)
        self.disks = disks
        for disk, place in topology.places(settings).items():
            _Disk(f"{name}-{disk}", disk, place, opts=pulumi.ResourceOptions(parent=self))

        packages = apply(on, zfs_role(settings), parent=self)
        pool = apply(on, pool_role(site.storage), parent=self, after=[packages], protect=True)

        self.homes = _dataset(topology.homes_dataset(site.storage), on, pool)
        shared = topology.share_datasets(site.storage)
        self.shares = {share: _dataset(dataset, on, pool) for share, dataset in shared.items()}
        self.guid = pool.facts.apply(lambda facts: facts["guid"])
        self.watched = Watched(rules=alert_rules("storage", __file__))
        self.register_outputs(
            {
                "disks": list(disks),
                "guid": self.guid,
                "homes": {"dataset": self.homes.name, "mountpoint": self.homes.mountpoint},
            }
        )


def _dataset(name: str, machine: Machine, pool: pulumi.Resource) -> Dataset:
    mountpoint = topology.mountpoint(name)
    return Dataset(name, mountpoint, unit_name(mountpoint, "mount"), machine, ready=pool)
