"""CalicoCluster: Kubernetes on the machines of a site."""

from collections.abc import Mapping

import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import Secret, ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding, PolicyRuleArgs, RoleRefArgs, SubjectArgs

from components.certificates import rules as certificate_rules
from components.cluster.calico import kubeadm
from components.cluster.calico.certificates import certificates_role, reading
from components.cluster.calico.kubeconfig import ca_hash, decoded, reachable
from components.cluster.calico.network import CalicoObject, calico_objects
from components.cluster.calico.openings import openings
from components.cluster.calico.roles import (
    administrator_role,
    admission_role,
    authority_role,
    calico_role,
    control_plane_role,
    dns_role,
    pods_role,
)
from components.cluster.calico.roles import worker_role as role_of_worker
from components.contracts.cluster import API_PORT, KubernetesAccess
from components.contracts.machines import Machine
from components.contracts.openings import Opening
from components.contracts.watched import ScrapeTarget, Watched, alert_rules
from converge.host_state import HostState, apply
from converge.role import Role
from stacks.settings import Site
from stacks.settings.types import seconds_of

SYSTEM = "kube-system"


class CalicoCluster(pulumi.ComponentResource):
    """One cluster: kubeadm's control plane, the workers that joined it, and Calico between their pods.

    A worker joins on its own, and the cluster is ready when the first that takes the hub's pods is.
    """

    kubeconfig: pulumi.Output[str]
    """The administrator's, secret. It names the control plane by address, and behind a jump the tunnel to it."""
    access: KubernetesAccess
    """For the objects of other components."""
    openings: tuple[Opening, ...]
    """Of every node."""
    watched: Watched
    """The API server."""

    def __init__(
        self,
        name: str,
        site: Site,
        *,
        machines: Mapping[str, Machine],
        gateway: pulumi.Resource,
        now: float,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`gateway` is what the nodes' BGP speakers wait for at their start; `now` is the time, seconds since 1970."""
        super().__init__("henhouse:kube:CalicoCluster", name, None, opts)
        self._name = name
        head = machines[kubeadm.control_plane(site)]

        control_plane = self._role(head, control_plane_role(site))
        # Before the kubeconfig is read: it may be what is renewed.
        renewed = self._role(head, certificates_role(site, head.name), control_plane)
        lifetime = seconds_of(site.cluster.certificate_lifetime)
        administrator = self._role(head, administrator_role(reading(lifetime, now)), renewed)
        admin_conf = administrator.facts.apply(lambda facts: decoded(facts["kubeconfig"]))
        server = f"https://{head.address}:{API_PORT}"
        # The same for everyone who runs the program, wherever they do: it is an input of the provider.
        proxy_url = site.jump.proxy_url if site.jump else None
        self.kubeconfig = admin_conf.apply(lambda text: reachable(text, server, proxy_url))
        # Of a role of its own, so that what depends on it stays unchanged when the kubeconfig is re-read.
        authority = self._role(head, authority_role(), control_plane).facts.apply(lambda facts: decoded(facts["ca"]))

        provider = Provider(
            f"{name}-provider",
            kubeconfig=self.kubeconfig,
            # An unknown kubeconfig would otherwise plan the replacement of everything in the cluster.
            cluster_identifier=f"{site.cluster.name}.{site.domain}",
            # One with a name for good is edited where it is. By default it would be deleted and made again: meanwhile a
            # server would start without its variables, and an `up` that is cut short between the two would leave it so.
            # What pods have to start again for is immutable, with a generated name, and is made again all the same.
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        calico = self._role(head, calico_role(site), administrator, gateway)
        network = [self._object(each, provider, calico) for each in calico_objects(site)]

        for worker in kubeadm.workers(site):
            machine = machines[worker]
            # Each waits for its own machine alone, to know which installation it is.
            known = {"machine_id": machine.machine_id}
            admission = self._role(head, admission_role(site, machine.target), administrator, secrets=known)
            token = admission.facts.apply(lambda facts: facts["token"])
            secrets = {"token": token, "ca_hash": authority.apply(ca_hash)}
            # It is ready once Calico runs on it.
            self._role(machine, role_of_worker(site, worker), calico, secrets=secrets)

        # Its wait for a worker lets the admissions through.
        ready = self._role(head, pods_role(site), *network)
        self._role(head, dns_role(site), ready)
        self.access = KubernetesAccess(provider, ready)
        metrics = ScrapeTarget(
            "kubernetes-apiserver",
            [f"{head.address}:{API_PORT}"],
            scheme="https",
            bearer_token=self._watcher(provider),
            ca=authority,
        )
        self.openings = tuple(openings(site))
        self.watched = Watched([metrics], {**alert_rules("cluster", __file__), **certificate_rules()})
        self.register_outputs({"kubeconfig": self.kubeconfig})

    def _role(
        self,
        machine: Machine,
        role: Role,
        *after: pulumi.Resource,
        secrets: Mapping[str, pulumi.Input[str]] | None = None,
    ) -> HostState:
        return apply(machine, role, parent=self, after=after, secrets=secrets)

    def _object(self, calico_object: CalicoObject, provider: Provider, after: pulumi.Resource) -> pulumi.Resource:
        """Calico's v3 objects as the custom resources that it keeps them in: the same names and fields, without its
        aggregated API server, which the manifest does not install."""
        made: pulumi.Resource = CustomResource(
            f"{self._name}-{calico_object.noun}",
            api_version="crd.projectcalico.org/v1",
            kind=calico_object.kind,
            metadata=ObjectMetaArgs(name=calico_object.name),
            spec=dict(calico_object.spec),
            opts=pulumi.ResourceOptions(
                parent=self, provider=provider, depends_on=[after], retain_on_delete=calico_object.retained
            ),
        )
        return made

    def _watcher(self, provider: Provider) -> pulumi.Output[str]:
        """Make an account that may read the API server's measurements and nothing else, and return its token."""
        options = pulumi.ResourceOptions(parent=self, provider=provider)
        account = ServiceAccount(
            f"{self._name}-prometheus",
            metadata=ObjectMetaArgs(name="prometheus", namespace=SYSTEM),
            automount_service_account_token=False,
            opts=options,
        )
        role = ClusterRole(
            f"{self._name}-prometheus-role",
            metadata=ObjectMetaArgs(name="henhouse:measurements"),
            rules=[PolicyRuleArgs(verbs=["get"], non_resource_urls=["/metrics", "/metrics/slis"])],
            opts=options,
        )
        ClusterRoleBinding(
            f"{self._name}-prometheus-binding",
            metadata=ObjectMetaArgs(name="henhouse:measurements"),
            role_ref=RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=role.metadata.name),
            subjects=[
                SubjectArgs(kind="ServiceAccount", name=account.metadata.name, namespace=SYSTEM),
            ],
            opts=options,
        )
        # Prometheus is not a pod: it cannot be given the tokens that are renewed every hour.
        token = Secret(
            f"{self._name}-prometheus-token",
            metadata=ObjectMetaArgs(
                name="prometheus-token",
                namespace=SYSTEM,
                annotations={
                    "kubernetes.io/service-account.name": account.metadata.name,
                    "pulumi.com/waitFor": "jsonpath={.data.token}",
                },
            ),
            type="kubernetes.io/service-account-token",
            opts=options,
        )
        return pulumi.Output.secret(token.data.apply(lambda data: decoded(data["token"])))
