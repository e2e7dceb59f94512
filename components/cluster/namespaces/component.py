"""Namespaces: where the site's own pods run."""

import pulumi
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.contracts.cluster import KubernetesAccess
from components.contracts.cluster import Namespaces as Names

POD_SECURITY = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
"""No pod of ours needs more than the strictest of the Pod Security Standards. People's homes are allowed by it: a pod
names a PersistentVolumeClaim, never an NFS server (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
"""


class Namespaces(pulumi.ComponentResource):
    """The namespaces of a site. They have fixed names: addresses inside the cluster are made of them.

    Those that hold data, or the objects that lead to it, cannot be deleted by the program.
    """

    names: Names
    """What they are called."""

    def __init__(self, name: str, access: KubernetesAccess, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("henhouse:kube:Namespaces", name, None, opts)

        def namespace(noun: str, *, protect: bool | None = None) -> pulumi.Output[str]:
            made = Namespace(
                f"{name}-{noun}",
                metadata=ObjectMetaArgs(name=noun, labels=POD_SECURITY),
                opts=access.options(self, protect=protect),
            )
            named: pulumi.Output[str] = made.metadata.name
            return named

        self.names = Names(
            hub=namespace("hub", protect=True),
            users=namespace("users", protect=True),
            edge=namespace("edge"),
            storage=namespace("storage", protect=True),
        )
        self.register_outputs(vars(self.names))
