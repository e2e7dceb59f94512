"""The proxy, asked for longer than JupyterHub asks it to take a route, by a client of its own."""

from typing import Any, Final

from jupyterhub.proxy import ConfigurableHTTPProxy
from tornado.simple_httpclient import SimpleAsyncHTTPClient

ATTEMPTS: Final = 10
"""To add a route. Each is JupyterHub's own half minute."""


class PatientProxy(ConfigurableHTTPProxy):
    """A proxy that may be slow to answer.

    JupyterHub stops a server for which the proxy takes no route within half a minute, and gives a connection 3 s. A hub
    that is short of a processor exceeds that by itself when many people come at once: it stopped servers that had just
    started (docs/hub-load.md). What the proxy refuses is raised at once, as by JupyterHub.
    """

    _own_client: SimpleAsyncHTTPClient | None = None

    async def api_request(self, path: str, method: str = "GET", body: Any = None, client: Any = None) -> Any:
        """Ask as JupyterHub does, again and again to add a route; TimeoutError when the proxy does not answer."""
        if self._own_client is None:
            # Tornado's shared client makes ten requests at a time, and waiting for a turn counts as connecting: the
            # hub's looks at all servers that start are among them.
            self._own_client = SimpleAsyncHTTPClient(force_instance=True, max_clients=self.concurrency)
        for _ in range(ATTEMPTS - 1 if method == "POST" else 0):
            try:
                return await super().api_request(path, method, body, client or self._own_client)
            except TimeoutError:
                self.log.warning("the proxy has not taken the route %s, asking again", path)
        return await super().api_request(path, method, body, client or self._own_client)
