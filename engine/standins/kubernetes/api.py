"""Requests to one API server."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
from urllib3.contrib.socks import SOCKSProxyManager

from engine.standins.kubernetes.kubeconfig import Access
from engine.standins.resources import Failed
from engine.standins.values import Props

JSON_PATCH: Final = "application/json-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"

TIMEOUT_VARIABLE: Final = "PULUMI_K8S_CLIENT_TIMEOUT"
"""Seconds that a request may take (`Configure`, provider/pkg/provider/provider.go of pulumi/pulumi-kubernetes)."""
_THREADS: Final = 32
_CONNECT_SECONDS: Final = 5
_ANSWER_SECONDS: Final = 60
_DISCOVERY_SECONDS: Final = 32
"""What a request for the server's kinds may take when nothing else is said (client-go, discovery_client.go)."""


class NotFound(Exception):
    """The object, its namespace or its kind does not exist."""


class Refused(Failed):
    """The API server said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(Failed):
    """The API server did not answer."""


class Cluster:
    """An API server, with the kinds that it has reported."""

    def __init__(self, access: Access, seconds: int | None = None) -> None:
        """`seconds` is what each request may take; if omitted, it depends on the request."""
        self.access = access
        self.silent = asyncio.Lock()
        """Held by who asks a server that did not answer before: the official provider asks such a one in turn."""
        self._headers = access.headers()
        self._http = _pool(access)
        self._timeout = urllib3.Timeout(seconds or _CONNECT_SECONDS, seconds or _ANSWER_SECONDS)
        self._discovery = urllib3.Timeout(seconds or _DISCOVERY_SECONDS)
        self._threads = ThreadPoolExecutor(_THREADS)
        self._kinds: dict[tuple[str, str], tuple[str, bool]] = {}
        self._probe: asyncio.Task[bool] | None = None

    async def ask(
        self, method: str, path: str, body: object = None, kind: str = "application/json", **query: str
    ) -> Props:
        """Send a request and return its answer. Retry failed connections and "too many requests" for a few seconds."""
        return await self._ask(5, method, path, body, kind, query)

    async def answers(self) -> bool:
        """Whether the API server can be reached; tried once, for previews."""
        if self._probe is None:
            self._probe = asyncio.ensure_future(self._answers())
        return await asyncio.shield(self._probe)

    async def _answers(self) -> bool:
        """Ask as the official provider does when it is configured: for the version, and then for what there is."""
        return await self._answers_to("/version") or await self._answers_to("/api")

    async def _answers_to(self, path: str) -> bool:
        try:
            await self._ask(0, "GET", path, None, "application/json", {}, self._discovery)
        except Unreachable:
            return False
        except (Refused, NotFound):
            pass
        return True

    async def ask_in_vain(self) -> None:
        """Ask a server that did not answer once more: so does the official provider about each kind that it lacks."""
        async with self.silent:
            await self._answers_to("/api")

    async def _ask(
        self,
        attempts: int,
        method: str,
        path: str,
        body: object,
        kind: str,
        query: dict[str, str],
        timeout: urllib3.Timeout | None = None,
    ) -> Props:
        url = self.access.server + path + (f"?{urlencode(query)}" if query else "")
        retry = urllib3.Retry(
            connect=attempts,
            read=0,
            redirect=0,
            status=attempts,
            other=attempts,  # of TLS, above all; a certificate that is not the server's stays so
            status_forcelist=(429,),
            allowed_methods=None,
            backoff_factor=0.2,
            raise_on_status=False,
        )

        def send() -> urllib3.BaseHTTPResponse:
            headers = {**self._headers, "Content-Type": kind, "Accept": "application/json"}
            data = None if body is None else json.dumps(body)
            allowed = self._timeout if timeout is None else timeout
            return self._http.request(method, url, body=data, headers=headers, retries=retry, timeout=allowed)

        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, send)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"the Kubernetes cluster at {self.access.server} is unreachable: {error}") from error
        return _content(answer)

    async def locate(self, version: str, kind: str) -> tuple[str, bool]:
        """Return the plural of a kind, and whether its objects live in namespaces; raise NotFound if there is none."""
        if (version, kind) not in self._kinds:
            for each in (await self._resources_of(version)) or []:
                if "/" not in each["name"]:  # subresources
                    self._kinds[version, each["kind"]] = (each["name"], each["namespaced"])
        if (version, kind) not in self._kinds:
            raise NotFound(f"no matches for kind {kind!r} in version {version!r}")
        return self._kinds[version, kind]

    async def _resources_of(self, version: str) -> list[Any]:
        try:
            found: list[Any] = (await self.ask("GET", _root(version)))["resources"]
        except NotFound:
            return []
        return found

    async def path(self, body: Props, named: bool = True) -> str:
        """Return the path of an object or, unless `named`, of all objects of its kind in its namespace."""
        metadata = body["metadata"]
        plural, namespaced = await self.locate(body["apiVersion"], body["kind"])
        inside = f"/namespaces/{metadata.get('namespace') or self.access.namespace}" if namespaced else ""
        return f"{_root(body['apiVersion'])}{inside}/{plural}" + (f"/{metadata['name']}" if named else "")

    async def get(self, body: Props) -> Props:
        """Return the object as it is now; raise NotFound when it does not exist."""
        return await self.ask("GET", await self.path(body))


def _pool(access: Access) -> urllib3.PoolManager:
    """Return connections to the API server, through the kubeconfig's `proxy-url` if it has one."""
    options: dict[str, Any] = {
        "ssl_context": access.tls() if access.server.startswith("https:") else None,
        "maxsize": _THREADS,
        "timeout": urllib3.Timeout(_CONNECT_SECONDS, _ANSWER_SECONDS),
    }
    proxy = access.cluster.get("proxy-url")
    if not proxy:
        return urllib3.PoolManager(**options)
    scheme, _, rest = proxy.partition("://")
    if scheme == "socks5":
        return SOCKSProxyManager(f"socks5h://{rest}", **options)  # as client-go, the proxy resolves names
    if scheme in ("http", "https"):
        return urllib3.ProxyManager(proxy, **options)
    raise Failed(f"the kubeconfig's proxy-url is {proxy!r}: its scheme must be http, https or socks5")


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _content(answer: urllib3.BaseHTTPResponse) -> Props:
    is_json = "json" in answer.headers.get("Content-Type", "")  # an unknown path is refused in plain text
    found: Props = json.loads(answer.data) if answer.data and is_json else {}
    if answer.status == 404:
        raise NotFound(found.get("message") or "not found")
    if answer.status >= 400:
        raise Refused(answer.status, found.get("message") or answer.data.decode(errors="replace").strip())
    return found
