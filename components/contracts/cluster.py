"""A cluster as the rooms on it see it."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import Provider


@dataclass(frozen=True)
class KubernetesAccess:
    """A cluster that takes objects once `ready` is."""

    provider: Provider
    ready: pulumi.Resource
    """The pod network works: pods that are made after it can start."""

    def options(self, parent: pulumi.Resource, *, protect: bool | None = None) -> pulumi.ResourceOptions:
        """Options of a Kubernetes object that is a child of `parent`; `protect` for what must outlive the program."""
        return pulumi.ResourceOptions(
            parent=parent,
            provider=self.provider,
            depends_on=[self.ready],
            protect=protect,
            retain_on_delete=protect,
        )
