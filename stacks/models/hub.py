"""The hub, its edge and the watch over them."""

from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from stacks.models.base import ByteSize, DomainName, HostName, ImageName, Model, SecretUrl
from stacks.versions import SITE

UserName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]{0,62}$")]
KeyName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]


class Size(Model):
    """What a person's server may use. Names and meanings are those of KubeSpawner."""

    cpu_guarantee: float = Field(default=0.1, ge=0)
    """Cores reserved on the node."""
    cpu_limit: float = Field(default=2, gt=0)
    """Cores at the most."""
    mem_guarantee: ByteSize = "512Mi"
    """Memory reserved on the node."""
    mem_limit: ByteSize = "2Gi"
    """Memory at the most; beyond it the kernel kills the process."""


class Hub(Model):
    """JupyterHub."""

    host: DomainName
    """The name in people's browsers."""
    login: Literal["native", "dummy"] = "native"
    """`native`: accounts with passwords kept by the hub, new ones wait for an administrator. `dummy`: any name with
    one shared
    password; only a lab may use it."""
    administrators: tuple[UserName, ...] = Field(min_length=1)
    """Who may manage accounts and servers in the hub."""
    keys: tuple[KeyName, ...] = Field(default=("first",), min_length=1)
    """Names of the keys that encrypt logins at rest, newest first: JupyterHub encrypts with the first and reads with
    all. To rotate, put a new
    name in front; drop the last when nobody's login is older than the name before it."""
    image: ImageName = f"quay.io/jupyterhub/k8s-hub:{SITE['k8s_hub']}"
    """The hub's image."""
    proxy_image: ImageName = f"quay.io/jupyterhub/configurable-http-proxy:{SITE['configurable_http_proxy']}"
    """The proxy's image."""
    server_image: ImageName
    """The image of people's servers."""
    size: Size = Size()
    """What a person's server may use."""
    database_host: HostName | None = None
    """The worker whose disk keeps the hub's sessions. If omitted, the first by name that takes `core` pods. The
    database does not move: name its machine here before you add one whose name comes first."""
    start_timeout_seconds: int = Field(default=300, ge=30)
    """How long a server may take to start."""
    cull_idle_seconds: int = Field(default=3600, ge=60)
    """Servers that nobody used for this long are stopped."""


class Certificate(Model):
    """A certificate of the site's own."""

    certificate: str
    """The chain, PEM, leaf first."""
    private_key: SecretStr
    """Its key, PEM."""


class Edge(Model):
    """The way in."""

    load_balancer_address: IPv4Address
    """Address of the TLS proxy in the cluster, out of `network.load_balancers`."""
    public_addresses: tuple[IPv4Address, ...] = ()
    """What the site's names resolve to. Left out, the gateway's address."""
    image: ImageName = f"docker.io/library/nginx:{SITE['nginx']}"
    """The TLS proxy's image."""
    certificate: Certificate | None = None
    """Left out, the stack's own certificate authority signs one."""
    dns_ttl_seconds: int = Field(default=3600, ge=60)
    """Time to live of the records that the stack puts out."""


class Monitoring(Model):
    """Prometheus and Alertmanager on the gateway, outside the cluster they watch."""

    retention_days: int = Field(default=30, ge=1)
    """How long measurements are kept."""
    retention_size: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(MB|GB|TB)$")] = "20GB"
    """The most disk that measurements may take; the oldest go first."""
    alert_webhook: SecretUrl | None = None
    """Where alerts are posted. A secret, because whoever knows the address of a chat service's hook can post there. If
    omitted, alerts are only shown by Alertmanager."""
