"""NfsFileserver: the datasets with people's homes and with what they share, as machines and pods see them."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes.core.v1 import PersistentVolumeClaim, Service, ServicePortArgs, ServiceSpecArgs
from pulumi_kubernetes.discovery.v1 import EndpointArgs, EndpointConditionsArgs, EndpointPortArgs, EndpointSlice
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.certificates import watched as certificates_watched
from components.contracts.cluster import KubernetesAccess, Namespaces
from components.contracts.machines import Machine
from components.contracts.openings import Opening, only
from components.contracts.storage import Dataset, HomeProvisioner, HomesVolume, SharedVolume
from components.contracts.watched import Watched, alert_rules
from components.storage.fileserver import texts
from components.storage.fileserver.roles import certificates_role, homes_role, nfs_role
from components.storage.fileserver.shares import exports, share_role
from components.storage.fileserver.texts import Export
from components.storage.fileserver.tls import NfsTls
from components.storage.fileserver.volumes import NfsDirectory, volume_and_claim
from converge.host_state import HostState, apply
from stacks.secrets import SiteSecrets
from stacks.settings import Site

SERVICE = "nfs"
PORT = 2049


class NfsFileserver(pulumi.ComponentResource):
    """Exports datasets over NFS 4.2, makes homes in one, and publishes one address for all inside the cluster.

    The source of a PersistentVolume cannot be edited, the addresses behind a Service can: the volume names the Service,
    so another machine can take the file server's place without a new volume.
    """

    server: pulumi.Output[str]
    """ClusterIP that the PersistentVolume names. It stays when the machine behind it is replaced."""
    volume: HomesVolume
    """People's homes for pods, and who makes them."""
    shares: tuple[SharedVolume, ...]
    """Directories that people share for pods, by name in order."""
    openings: tuple[Opening, ...]
    watched: Watched
    """Alert rules on the provisioner's and the hub's certificates, and on tlshd where there is one."""

    def __init__(
        self,
        name: str,
        site: Site,
        secrets: SiteSecrets,
        *,
        dataset: Dataset,
        shares: Mapping[str, Dataset],
        machines: Mapping[str, Machine],
        cluster: KubernetesAccess,
        namespaces: Namespaces,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("henhouse:storage:NfsFileserver", name, None, opts)
        self._name = name
        self._homes = site.storage.homes
        self._shares = site.storage.shares
        self._cluster = cluster

        self._tls = self._homes.transport != "tcp"
        clients = [machines[worker] for worker in sorted(site.workers_for("user"))]

        shared = exports(self._shares, shares, self._homes.transport)
        owned = self._owned(dataset, shared)
        provisioner, running = self._provisioner(secrets, dataset)
        service, behind = self._service(dataset, namespaces.storage)
        self.server = service.spec.cluster_ip
        exported = self._export(dataset, shared, clients)
        claim = self._claim(dataset, namespaces.users, exported)
        self.volume = HomesVolume(
            namespace=namespaces.users,
            claim=claim.metadata.apply(lambda metadata: str(metadata.name)),
            provisioner=provisioner,
            ready=(exported, running, claim, behind),
        )
        self.shares = tuple(
            self._shared(share, shares[share], namespaces.users, [exported, owned[share]]) for share in shares
        )
        self.openings = openings(site, dataset.machine.name)
        # Also without TLS: a site that went back has encrypted mounts until the last of them ends.
        self.watched = Watched(rules={**certificates_watched().rules, **alert_rules("homes-tls", __file__)})
        self.register_outputs({"server": self.server, "claim": self.volume.claim})

    def _export(self, dataset: Dataset, shared: Mapping[str, Export], clients: Sequence[Machine]) -> HostState:
        homes = Export(dataset.name, dataset.mountpoint, dataset.mount_unit, transport=self._homes.transport)
        role = nfs_role([homes, *shared.values()], sorted(client.address for client in clients), self._homes)
        ready: list[pulumi.Resource] = [dataset.ready]
        if self._tls:
            tls = NfsTls(
                f"{self._name}-tls",
                server=dataset.machine,
                address=self.server,
                clients=clients,
                opts=pulumi.ResourceOptions(parent=self),
            )
            ready.append(tls.ready)
        return apply(dataset.machine, role, parent=self, after=ready, protect=True)

    def _owned(self, dataset: Dataset, shared: Mapping[str, Export]) -> dict[str, HostState]:
        """Give each share to its group, before a volume of it is there to be mounted.

        Homes do not wait for it: a share may be what cannot be mounted.
        """
        return {
            name: apply(
                dataset.machine, share_role(name, self._shares[name], export), parent=self, after=[dataset.ready]
            )
            for name, export in shared.items()
        }

    def _provisioner(self, secrets: SiteSecrets, dataset: Dataset) -> tuple[HomeProvisioner, HostState]:
        """Return how the hub asks for homes, and what has to be there before it does."""
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
        client = secrets.issue(f"{self._name}-client", texts.PROVISIONER_CLIENT, uses=["client_auth"])
        apply(machine, certificates_role(), secrets={"client": client.certificate}, parent=self, after=[running])
        asked = HomeProvisioner(
            machine.address,
            texts.PROVISIONER_PORT,
            authority=secrets.ca_certificate,
            client_certificate=client.certificate,
            client_key=client.private_key,
        )
        return asked, running

    def _service(self, dataset: Dataset, namespace: pulumi.Output[str]) -> tuple[Service, EndpointSlice]:
        """Make a Service without a selector and put the machine's address behind it; return both."""
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
        behind = EndpointSlice(
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
        return service, behind

    def _claim(self, dataset: Dataset, namespace: pulumi.Output[str], exported: HostState) -> PersistentVolumeClaim:
        """Make the volume of the homes and its claim, and return the claim."""
        directory = NfsDirectory(self.server, dataset.mountpoint, tls=self._tls, capacity=self._homes.capacity)
        kept = self._cluster.options(self, protect=True)
        return volume_and_claim(self._name, self._name, namespace, directory, kept, [exported])

    def _shared(
        self, name: str, dataset: Dataset, namespace: pulumi.Output[str], after: Sequence[HostState]
    ) -> SharedVolume:
        """Make the volume of a share and its claim, and return what pods see of it."""
        share = self._shares[name]
        directory = NfsDirectory(self.server, dataset.mountpoint, share.read_only, self._tls)
        kept = self._cluster.options(self, protect=True)
        claim = volume_and_claim(f"{self._name}-share-{name}", f"share-{name}", namespace, directory, kept, after)
        return SharedVolume(
            name=name,
            claim=claim.metadata.apply(lambda metadata: str(metadata.name)),
            mount_path=share.path(name),
            read_only=share.read_only,
            groups=share.groups,
            write_groups=share.write_groups,
            gid=share.group(name),
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
