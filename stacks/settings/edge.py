"""The edge: the site's public names and their certificate."""

from ipaddress import IPv4Address

from pydantic import Field

from stacks.settings.certificate import AnyCertificate, AuthorityCertificateSettings
from stacks.settings.scheduling import BudgetSettings, ResourcesSettings
from stacks.settings.types import ImageName, Model
from stacks.versions import SITE


class EdgeSettings(Model):
    """The way in."""

    load_balancer_address: IPv4Address
    """Address of the TLS proxy in the cluster, out of `network.load_balancers`."""
    public_addresses: tuple[IPv4Address, ...] = ()
    """What the site's names resolve to. If omitted, the gateway's address."""
    image: ImageName = f"docker.io/library/nginx:{SITE['nginx']}"
    """The TLS proxy's image."""
    resources: ResourcesSettings = ResourcesSettings()
    """What each of its two pods asks of its node. If omitted, 50m and 32Mi are kept free, and nothing limits it."""
    pdb: BudgetSettings = BudgetSettings()
    """Their PodDisruptionBudget. It needs two machines that take `core` pods, and while one of them is off, it blocks a
    drain of the other."""
    certificate: AnyCertificate = AuthorityCertificateSettings()
    """Where the certificate of the public names comes from. If omitted, the stack's own authority signs it."""
    dns_ttl_seconds: int = Field(default=3600, ge=60, le=2**31 - 1)
    """Time to live of the records in the stack's outputs."""
