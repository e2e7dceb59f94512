"""What the edge needs of the gateway."""

from typing import Final

from converge.items import File, Package, Unit
from converge.role import Role

CONFIG: Final = "/etc/haproxy/haproxy.cfg"


def edge_proxy(config: str) -> Role:
    """Return the role in which HAProxy runs with this configuration.

    A change is a reload, which drops no connection.
    """
    return Role(
        "edge-proxy",
        (
            Package("haproxy"),
            File(CONFIG, content=config, validate='haproxy -c -f "$NEW"'),
            Unit("haproxy.service", restart_on=(CONFIG,), reload=True),
        ),
    )
