"""All user servers in one process, as much of them as the hub, the proxy and people notice.

`python -m tests.bench.hub.servers KUBECONFIG-DIRECTORY SERVER PORT`. A kubelet that plays has no containers, so this
program watches the pods itself and does for each what jupyterhub-singleuser does: it asks the hub for its version, logs
people in through the hub (OAuth), tells the hub of activity at the interval that the pod's environment names, and
holds websockets. It listens at the addresses of all pods, which are all this computer's.
"""

import asyncio
import json
import random
import secrets
import ssl
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, WSMsgType, web

from stacks.versions import SITE

PODS: Final = "/api/v1/namespaces/users/pods"
COOKIE: Final = "bench-server"
VERSION_HEADER: Final = "X-JupyterHub-Version"
ACTIVITY_SECONDS: Final = 300
"""How often a server tells of its activity where its environment does not say (jupyterhub/singleuser/extension.py)."""


class Server:
    """One person's server."""

    def __init__(self, environment: dict[str, str], session: ClientSession) -> None:
        """Know what the pod's environment says."""
        self._environment = environment
        self._session = session
        self._headers = {"Authorization": f"Bearer {environment['JUPYTERHUB_API_TOKEN']}"}
        self._logged_in: set[str] = set()

    async def live(self) -> None:
        """Do what a server does by itself, until cancelled."""
        await self._ask("GET", f"{self._environment['JUPYTERHUB_API_URL']}/")
        every = int(self._environment.get("JUPYTERHUB_ACTIVITY_INTERVAL", ACTIVITY_SECONDS))
        while True:
            said = datetime.now(UTC).isoformat()
            told = {"servers": {"": {"last_activity": said}}, "last_activity": said}
            await self._ask("POST", self._environment["JUPYTERHUB_ACTIVITY_URL"], json=told)
            await asyncio.sleep(every * random.uniform(0.9, 1.1))

    async def _ask(self, method: str, url: str, **what: Any) -> Any:
        with suppress(ClientError, TimeoutError):
            async with self._session.request(method, url, **{"headers": self._headers, **what}) as answer:
                return await answer.json(content_type=None)

    def knows(self, request: web.Request) -> bool:
        """Whether the browser has logged in here."""
        return request.cookies.get(COOKIE) in self._logged_in

    def login(self) -> web.HTTPFound:
        """Send the browser to the hub, as an OAuth client of it."""
        asked = {
            "client_id": self._environment["JUPYTERHUB_CLIENT_ID"],
            "redirect_uri": self._environment["JUPYTERHUB_OAUTH_CALLBACK_URL"],
            "response_type": "code",
            "state": secrets.token_urlsafe(8),
        }
        return web.HTTPFound(f"/hub/api/oauth2/authorize?{urlencode(asked)}")

    async def callback(self, request: web.Request) -> web.Response:
        """Turn the hub's code into a token, ask whose it is, and let the browser in."""
        hub = self._environment["JUPYTERHUB_API_URL"]
        form = {
            "client_id": self._environment["JUPYTERHUB_CLIENT_ID"],
            "client_secret": self._environment["JUPYTERHUB_API_TOKEN"],
            "grant_type": "authorization_code",
            "code": request.query["code"],
            "redirect_uri": self._environment["JUPYTERHUB_OAUTH_CALLBACK_URL"],
        }
        token = (await self._ask("POST", f"{hub}/oauth2/token", data=form, headers={}) or {}).get("access_token")
        person = await self._ask("GET", f"{hub}/user", headers={"Authorization": f"Bearer {token}"}) or {}
        if person.get("name") != self._environment["JUPYTERHUB_USER"]:
            return web.Response(status=403, text=f"the hub says {person}")
        cookie = secrets.token_urlsafe(16)
        self._logged_in.add(cookie)
        answer = web.HTTPFound(f"{self._environment['JUPYTERHUB_SERVICE_PREFIX']}lab")
        answer.set_cookie(COOKIE, cookie, path=self._environment["JUPYTERHUB_SERVICE_PREFIX"])
        return answer


class Servers:
    """All servers, by the person's name."""

    def __init__(self, session: ClientSession) -> None:
        """Have none yet."""
        self._session = session
        self._servers: dict[str, Server] = {}
        self._lives: dict[str, asyncio.Task[None]] = {}

    def see(self, kind: str, pod: dict[str, Any]) -> None:
        """Take notice of an event of a pod."""
        name = pod["metadata"]["name"]
        if kind == "DELETED":
            if life := self._lives.pop(name, None):
                life.cancel()
        elif name not in self._lives and pod["status"].get("phase") == "Running":
            environment = {each["name"]: each.get("value", "") for each in pod["spec"]["containers"][0]["env"]}
            server = Server(environment, self._session)
            self._servers[environment["JUPYTERHUB_USER"]] = server
            self._lives[name] = asyncio.create_task(server.live())

    async def api(self, request: web.Request) -> web.Response:
        """Answer the hub's question whether the server is there."""
        there = request.match_info["name"] in self._servers
        return web.json_response({"version": "2.17.0"}, status=200 if there else 503)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Show anything to whoever is logged in, and log the others in."""
        server = self._servers.get(request.match_info["name"])
        if server is None:
            raise web.HTTPServiceUnavailable
        if request.match_info["path"] == "oauth_callback":
            return await server.callback(request)
        if not server.knows(request):
            raise server.login()
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._echo(request)
        return web.Response(text="a notebook would be here")

    @staticmethod
    async def _echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket


async def watch(servers: Servers, api: str, session: ClientSession) -> None:
    """Follow the pods, from a list and then from each place at which the API server stopped telling."""
    while True:
        with suppress(ClientError, TimeoutError):
            async with session.get(f"{api}{PODS}") as answer:
                listed = await answer.json()
            for pod in listed["items"]:
                servers.see("ADDED", pod)
            version = listed["metadata"]["resourceVersion"]
            params = {"watch": "1", "resourceVersion": version}
            async with session.get(f"{api}{PODS}", params=params, timeout=ClientTimeout(None)) as stream:
                async for line in stream.content:
                    event = json.loads(line)
                    if event["type"] != "ERROR":
                        servers.see(event["type"], event["object"])


async def version_of_the_hub(_: web.Request, answer: web.StreamResponse) -> None:
    """Say that every server is of the hub's version: one that is not costs a line of its log."""
    answer.headers[VERSION_HEADER] = SITE["jupyterhub"]


async def serve(directory: Path, api: str, port: int) -> None:
    """Serve until the end."""
    tls = ssl.create_default_context(cafile=str(directory / "ca.crt"))
    tls.load_cert_chain(directory / "admin.crt", directory / "admin.key")
    async with (
        ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(60)) as hub,
        # A line is a pod, which is longer than a line of most streams.
        ClientSession(connector=TCPConnector(ssl=tls), read_bufsize=2**22) as cluster,
    ):
        servers = Servers(hub)
        application = web.Application()
        application.router.add_get("/user/{name}/api", servers.api)
        application.router.add_get("/user/{name}/{path:.*}", servers.page)
        application.on_response_prepare.append(version_of_the_hub)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "0.0.0.0", port, backlog=2048).start()
        await watch(servers, api, cluster)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
