"""The two proxies' configurations, as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from components.contracts.openings import of_nodes, only
from components.templates import render
from stacks.settings import Site

METRICS_PORT: Final = 8404
"""HAProxy's own, on the gateway's address."""
CONFIG_DIRECTORY: Final = "/etc/henhouse-edge"
CERTIFICATE_DIRECTORY: Final = "/etc/henhouse-edge-tls"
"""Both in the TLS proxy's pod."""
BODY_LIMIT: Final = "512m"
"""The largest upload in one request; Jupyter Server's own limit (max_body_size) is the same."""


@dataclass(frozen=True)
class Upstream:
    """A route whose Service has its address.

    An address, not a name: a replaced Service changes this configuration, and nothing has to be resolved while the
    cluster's DNS is away.
    """

    host: str
    address: IPv4Address
    port: int
    asks_others: tuple[str, ...] = ()
    """As of the route."""


def nginx_conf(site: Site, upstreams: Sequence[Upstream]) -> str:
    """Return the configuration of the TLS proxy in the cluster: nginx 1.25.1 and later (`http2 on`)."""
    return render(
        __file__,
        "nginx.conf",
        routes=sorted(upstreams, key=lambda upstream: upstream.host),
        trusted=believed(site),
        certificate=f"{CERTIFICATE_DIRECTORY}/tls.crt",
        private_key=f"{CERTIFICATE_DIRECTORY}/tls.key",
        body_limit=BODY_LIMIT,
        asking=sorted({path for upstream in upstreams for path in upstream.asks_others}),
    )


def haproxy_cfg(*, hosts: Sequence[str], address: IPv4Address, gateway: IPv4Address) -> str:
    """Return the configuration of the proxy by server name on the gateway.

    The proxy knows these hosts and refuses every other name. `address` is the load balancer's, in the cluster.
    """
    return render(
        __file__,
        "haproxy.cfg",
        hosts=sorted(hosts),
        address=address,
        gateway=gateway,
        metrics_port=METRICS_PORT,
    )


def trusted_addresses(site: Site) -> list[IPv4Address]:
    """Where the TLS proxy's connections come from: the gateway, or the node that the gateway chose."""
    return sorted({site.hosts[site.gateway].address, *(node.address for node in site.nodes.values())})


def believed(site: Site) -> tuple[IPv4Network, ...]:
    """Return whose PROXY header the TLS proxy believes: a new configuration restarts the proxy, so one more node should
    need none.

    Addresses that are only reserved for nodes do not get so far: the proxy's policy names the machines one by one.
    """
    gateway = only([site.hosts[site.gateway].address])
    return tuple(sorted({*gateway, *of_nodes(site)}))
