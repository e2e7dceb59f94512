"""Namespaces: where the site's own pods run, closed until a room opens what it needs."""

from typing import Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.contracts.cluster import KubernetesAccess
from components.contracts.cluster import Namespaces as Names
from components.kube.policies import policy

POD_SECURITY = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
"""No pod of ours needs more than the strictest of the Pod Security Standards. People's homes are allowed by it: a pod
names a PersistentVolumeClaim, never an NFS server (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
"""
NAMES: Final = ("hub", "users", "edge", "storage")
WITH_DATA: Final = frozenset({"hub", "users", "storage"})
"""The namespaces that hold data, or the objects that lead to it."""
DEFAULT_DENY: Final = "default-deny"
AFTER_KUBERNETES_POLICIES: Final = 2000
"""Calico gives Kubernetes' NetworkPolicies the order 1000, and asks the policies of lower order first."""


class Namespaces(pulumi.ComponentResource):
    """The namespaces of a site. They have fixed names: addresses inside the cluster are made of them.

    Those that hold data, or the objects that lead to it, cannot be deleted by the program.

    No pod of theirs takes or opens a connection that no NetworkPolicy allows. A NetworkPolicy in each namespace says
    so where people look for it. A policy of the whole cluster says it again: it holds when every policy
    of a namespace is deleted, which alone would open it. Both exist before a room gets the namespace's name, so before
    the first pod.
    """

    names: Names
    """What they are called."""

    def __init__(self, name: str, access: KubernetesAccess, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("henhouse:kube:Namespaces", name, None, opts)
        self._name = name
        self._access = access
        closed = self._closed()
        self.names = Names(**{noun: self._namespace(noun, closed) for noun in NAMES})
        self.register_outputs(vars(self.names))

    def _namespace(self, noun: str, closed: pulumi.Resource) -> pulumi.Output[str]:
        """Make the namespace, close it, and return its name."""
        made = Namespace(
            f"{self._name}-{noun}",
            metadata=ObjectMetaArgs(name=noun, labels=POD_SECURITY),
            opts=self._access.options(self, protect=True if noun in WITH_DATA else None),
        )
        deny = NetworkPolicy(
            f"{self._name}-{noun}-{DEFAULT_DENY}",
            metadata=ObjectMetaArgs(name=DEFAULT_DENY, namespace=made.metadata.name),
            spec=policy({}),
            opts=pulumi.ResourceOptions.merge(self._access.options(self), pulumi.ResourceOptions(depends_on=[closed])),
        )
        # The policy knows the name from the namespace, so whoever is given it waits for the policy.
        named: pulumi.Output[str] = deny.metadata.namespace
        return named

    def _closed(self) -> pulumi.Resource:
        """Make the cluster's policy: it has no rules, and applies to traffic that no policy of the namespaces allows.

        Source: https://docs.tigera.io/calico/3.31/reference/resources/globalnetworkpolicy; the tier stands before the
        name because Calico's own tools keep it so.
        """
        ours = ", ".join(f"'{noun}'" for noun in NAMES)
        made: pulumi.Resource = CustomResource(
            f"{self._name}-{DEFAULT_DENY}",
            api_version="crd.projectcalico.org/v1",
            kind="GlobalNetworkPolicy",
            metadata=ObjectMetaArgs(name=f"default.henhouse-{DEFAULT_DENY}"),
            spec={
                "order": AFTER_KUBERNETES_POLICIES,
                "selector": f"projectcalico.org/namespace in {{ {ours} }}",
                "types": ["Ingress", "Egress"],
            },
            opts=self._access.options(self),
        )
        return made
