"""What the hub's pods mount: ConfigMaps and Secrets that never change.

A change makes another one, with another generated name, and the pods that mount it start again.
"""

from collections.abc import Callable, Mapping

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap, Secret
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs


class Mounted:
    """Makes them for one component, `<name>-<noun>` in the state, and returns their generated names."""

    def __init__(self, name: str, options: Callable[[], pulumi.ResourceOptions]) -> None:
        """`options` are those of each of the component's objects."""
        self._name = name
        self._options = options

    def config_map(
        self,
        noun: str,
        namespace: pulumi.Input[str],
        data: Mapping[str, pulumi.Input[str]],
        *,
        files: Mapping[str, str] | None = None,
    ) -> pulumi.Output[str]:
        """Make a ConfigMap of texts, and of files in base64."""
        made = ConfigMap(
            f"{self._name}-{noun}",
            metadata=ObjectMetaArgs(namespace=namespace),
            immutable=True,
            data=data,
            binary_data=files or None,
            opts=self._options(),
        )
        name: pulumi.Output[str] = made.metadata.name
        return name

    def secret(
        self,
        noun: str,
        namespace: pulumi.Input[str],
        data: Mapping[str, pulumi.Input[str]],
        *,
        files: Mapping[str, str] | None = None,
    ) -> pulumi.Output[str]:
        """Make a Secret of texts, and of files in base64."""
        made = Secret(
            f"{self._name}-{noun}",
            metadata=ObjectMetaArgs(namespace=namespace),
            immutable=True,
            string_data={key: pulumi.Output.secret(value) for key, value in data.items()},
            data={key: pulumi.Output.secret(value) for key, value in files.items()} if files else None,
            opts=self._options(),
        )
        name: pulumi.Output[str] = made.metadata.name
        return name
