"""The machines, how they are reached, and where their packages and images come from."""

from ipaddress import IPv4Address
from typing import Final, Literal

from pydantic import Field

from stacks.settings.interfaces import InterfaceName, InterfaceSettings
from stacks.settings.types import HostKey, Model

Purpose = Literal["core", "user"]
"""What pods are for: the hub and its proxies, or user servers."""
PURPOSE_LABEL: Final = "hub.jupyter.org/node-purpose"
"""The label of a node that says so."""
Duty = Literal["gateway", "control-plane", "worker", "storage"]
"""What a machine is for. One machine has one duty, except that a small site may make its control plane a worker too."""


class HostSettings(Model):
    """One machine with an installed Debian 13 and a running SSH server."""

    address: IPv4Address
    """Address inside the machines' network. Everything else refers to the machine by name."""
    duties: tuple[Duty, ...] = Field(min_length=1)
    """What the machine is for."""
    host_key: HostKey
    """The public ed25519 key that its SSH server must show. No connection is made without it."""
    purpose: Literal["any", "core", "user"] = "any"
    """Which pods a worker takes: `core` (hub, proxies), `user` (user servers), or both. Becomes the node label
    `hub.jupyter.org/node-purpose`, as in Zero to JupyterHub."""
    cgroups: Literal["v1", "v2"] = "v2"
    """The kernel's control group hierarchy. Kubernetes 1.35 and later refuse v1 by default; `v1` here permits
    it."""
    restrict_oom_score_adj: bool = False
    """True where the machine may not lower a process's OOM score (it is itself a container): containerd's setting of
    that name."""
    interfaces: dict[InterfaceName, InterfaceSettings] = Field(default={}, min_length=1)
    """The network interfaces, by name, one of them with `address`; systemd-networkd then configures them so. If
    omitted, they stay as the installation made them (see network.md)."""

    @property
    def is_control_plane(self) -> bool:
        """Whether the API server runs there."""
        return "control-plane" in self.duties

    @property
    def is_worker(self) -> bool:
        """Whether pods other than the cluster's own run there."""
        return "worker" in self.duties

    @property
    def is_node(self) -> bool:
        """Whether a kubelet runs there."""
        return self.is_control_plane or self.is_worker

    def takes(self, purpose: Purpose) -> bool:
        """Whether pods of this purpose run there."""
        return self.is_worker and self.purpose in ("any", purpose)
