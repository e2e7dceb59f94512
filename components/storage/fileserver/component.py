"""NfsFileserver: the dataset with people's homes, as machines and pods see it."""

import pulumi
from pulumi_kubernetes.core.v1 import (
    NFSVolumeSourceArgs,
    ObjectReferenceArgs,
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpecArgs,
    PersistentVolumeSpecArgs,
    Service,
    ServicePortArgs,
    ServiceSpecArgs,
    VolumeResourceRequirementsArgs,
)
from pulumi_kubernetes.discovery.v1 import EndpointArgs, EndpointConditionsArgs, EndpointPortArgs, EndpointSlice
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.certificates import watched as certificates_watched
from components.contracts.cluster import KubernetesAccess, Namespaces
from components.contracts.openings import Opening, only
from components.contracts.storage import Dataset, HomeProvisioner, HomesVolume
from components.contracts.watched import Watched
from components.storage.fileserver import texts
from components.storage.fileserver.roles import certificates_role, homes_role, nfs_role
from converge.host_state import HostState, apply
from stacks.secrets import SiteSecrets
from stacks.settings import Site

SERVICE = "nfs"
PORT = 2049
MOUNT_OPTIONS = ("nfsvers=4.2", "proto=tcp", "hard", "noatime", "nosuid", "nodev")
"""nfs(5). `hard`: a program waits for a server that is away; it never loses what it wrote."""


class NfsFileserver(pulumi.ComponentResource):
    """Exports a dataset over NFS 4.2, makes homes in it, and publishes one address for it inside the cluster.

    A PersistentVolume cannot be edited, the addresses behind a Service can: the volume names the Service, so another
    machine can take the file server's place without a new volume.
    """

    server: pulumi.Output[str]
    """ClusterIP that the PersistentVolume names. It stays when the machine behind it is replaced."""
    volume: HomesVolume
    """People's homes for pods, and who makes them."""
    openings: tuple[Opening, ...]
    watched: Watched
    """Alert rules on the provisioner's and the hub's certificates."""

    def __init__(
        self,
        name: str,
        site: Site,
        secrets: SiteSecrets,
        *,
        dataset: Dataset,
        cluster: KubernetesAccess,
        namespaces: Namespaces,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("henhouse:storage:NfsFileserver", name, None, opts)
        self._name = name
        self._homes = site.storage.homes
        self._cluster = cluster

        exported = self._export(site, dataset)
        provisioner = self._provisioner(secrets, dataset)
        service = self._service(dataset, namespaces.storage)
        self.server = service.spec.cluster_ip
        claim = self._claim(dataset, namespaces.users, exported)
        self.volume = HomesVolume(
            namespace=namespaces.users,
            claim=claim.metadata.apply(lambda metadata: str(metadata.name)),
            provisioner=provisioner,
            ready=self,
        )
        self.openings = openings(site, dataset.machine.name)
        self.watched = certificates_watched()
        self.register_outputs({"server": self.server, "claim": self.volume.claim})

    def _export(self, site: Site, dataset: Dataset) -> HostState:
        machine = dataset.machine
        clients = sorted(worker.address for worker in site.workers_for("user").values())
        role = nfs_role(dataset.name, dataset.mountpoint, dataset.mount_unit, clients, self._homes)
        return apply(machine, role, parent=self, after=[dataset.ready], protect=True)

    def _provisioner(self, secrets: SiteSecrets, dataset: Dataset) -> HomeProvisioner:
        machine = dataset.machine
        issued = secrets.issue(
            f"{self._name}-maker", machine.name, dns_names=[machine.name], ip_addresses=[str(machine.address)]
        )
        running = apply(
            machine,
            homes_role(dataset.mountpoint, dataset.mount_unit, machine.address, self._homes),
            secrets={"certificate": issued.certificate, "key": issued.private_key, "ca": secrets.ca_certificate},
            parent=self,
            after=[dataset.ready],
        )
        client = secrets.issue(f"{self._name}-client", texts.PROVISIONER_CLIENT, client=True)
        apply(machine, certificates_role(), secrets={"client": client.certificate}, parent=self, after=[running])
        return HomeProvisioner(
            machine.address,
            texts.PROVISIONER_PORT,
            authority=secrets.ca_certificate,
            client_certificate=client.certificate,
            client_key=client.private_key,
        )

    def _service(self, dataset: Dataset, namespace: pulumi.Output[str]) -> Service:
        """Make a Service without a selector, put the machine's address behind it, and return the Service."""
        address = self._homes.service_address
        service = Service(
            f"{self._name}-service",
            metadata=ObjectMetaArgs(name=SERVICE, namespace=namespace),
            spec=ServiceSpecArgs(
                cluster_ip=str(address) if address else None,
                ports=[ServicePortArgs(name="nfs", port=PORT, target_port=PORT, protocol="TCP")],
            ),
            opts=self._cluster.options(self, protect=True),
        )
        EndpointSlice(
            f"{self._name}-endpoints",
            metadata=ObjectMetaArgs(
                name=f"{SERVICE}-{dataset.machine.name}",
                namespace=namespace,
                labels={
                    "kubernetes.io/service-name": service.metadata.apply(lambda metadata: str(metadata.name)),
                    "endpointslice.kubernetes.io/managed-by": "henhouse",
                },
            ),
            address_type="IPv4",
            endpoints=[
                EndpointArgs(
                    addresses=[str(dataset.machine.address)],
                    conditions=EndpointConditionsArgs(ready=True),
                )
            ],
            ports=[EndpointPortArgs(name="nfs", port=PORT, protocol="TCP")],
            opts=self._cluster.options(self),
        )
        return service

    def _claim(self, dataset: Dataset, namespace: pulumi.Output[str], exported: HostState) -> PersistentVolumeClaim:
        """Make the volume and the only claim that it is bound to, and return the claim."""
        kept = self._cluster.options(self, protect=True)
        volume = PersistentVolume(
            f"{self._name}-volume",
            metadata=ObjectMetaArgs(name=self._name),
            spec=PersistentVolumeSpecArgs(
                capacity={"storage": self._homes.capacity},
                access_modes=["ReadWriteMany"],
                persistent_volume_reclaim_policy="Retain",
                storage_class_name="",
                mount_options=list(MOUNT_OPTIONS),
                claim_ref=ObjectReferenceArgs(
                    api_version="v1", kind="PersistentVolumeClaim", namespace=namespace, name=self._name
                ),
                nfs=NFSVolumeSourceArgs(server=self.server, path=dataset.mountpoint),
            ),
            opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[exported])),
        )
        return PersistentVolumeClaim(
            f"{self._name}-claim",
            metadata=ObjectMetaArgs(name=self._name, namespace=namespace),
            spec=PersistentVolumeClaimSpecArgs(
                access_modes=["ReadWriteMany"],
                storage_class_name="",
                volume_name=volume.metadata.apply(lambda metadata: str(metadata.name)),
                resources=VolumeResourceRequirementsArgs(requests={"storage": self._homes.capacity}),
            ),
            opts=kept,
        )


def openings(site: Site, machine: str) -> tuple[Opening, ...]:
    """Return the file server's ports: homes for the workers that mount them, the provisioner for the hub's.

    A pod's packets to a machine carry the address of the pod's node (Calico's natOutgoing).
    """
    mounting = only(worker.address for worker in site.workers_for("user").values())
    asking = only(worker.address for worker in site.workers_for("core").values())
    return (
        Opening(machine, PORT, "tcp", mounting, "NFS"),
        Opening(machine, texts.PROVISIONER_PORT, "tcp", asking, "home provisioner"),
    )
