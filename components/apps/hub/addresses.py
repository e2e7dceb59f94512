"""Who is who in the hub's namespace: labels of pods, ports, and the names under which they find one another."""

from typing import Final

HUB_PORT: Final = 8081
PROXY_PORT: Final = 8000
PROXY_API_PORT: Final = 8001
ERROR_PAGES_PORT: Final = 8002
"""Of the proxy's pod, for the proxy alone."""
SERVER_PORT: Final = 8888
HUB_LABELS: Final = {"app.kubernetes.io/name": "jupyterhub", "app.kubernetes.io/component": "hub"}
REHEARSAL_LABELS: Final = {"app.kubernetes.io/name": "jupyterhub", "app.kubernetes.io/component": "rehearsal"}
PROXY_REHEARSAL_LABELS: Final = {
    "app.kubernetes.io/name": "jupyterhub",
    "app.kubernetes.io/component": "proxy-rehearsal",
}
PROXY_LABELS: Final = {"app.kubernetes.io/name": "jupyterhub", "app.kubernetes.io/component": "proxy"}


def hub_url(namespace: str) -> str:
    """Return the address of the hub inside the cluster."""
    return f"http://hub.{namespace}.svc.cluster.local:{HUB_PORT}"


def proxy_api_url(namespace: str) -> str:
    """Return the address of the proxy's REST interface, which the hub gives its routes."""
    return f"http://proxy-api.{namespace}.svc.cluster.local:{PROXY_API_PORT}"
