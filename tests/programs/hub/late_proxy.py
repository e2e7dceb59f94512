"""Run by JupyterHub's own interpreter: what becomes of a route while the proxy is away, as JSON.

`late_proxy.py HUB-DIRECTORY`, where patient_proxy.py is. JupyterHub's half minute is a fifth of a second here.
"""
# mypy: ignore-errors

import asyncio
import json
import sys

import jupyterhub.proxy
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

HALF_A_MINUTE = 0.2
AWAY = 3
"""So many of JupyterHub's half minutes, however long each takes on this computer."""
asked, rounds = [], []


class Routes(RequestHandler):
    """As much of the proxy as takes routes: it is away at first, and refuses what begins with no."""

    def answer(self, path: str) -> None:
        asked.append(self.request.method)
        away = len(rounds) <= AWAY
        self.set_status(400 if path.startswith("no") else 503 if away else 201)

    post = delete = answer


async def outcome(request: object) -> str:
    try:
        return str((await request).code)
    except Exception as error:
        return type(error).__name__


async def main() -> None:
    from patient_proxy import PatientProxy

    backoff = jupyterhub.proxy.exponential_backoff

    async def hurried(*arguments: object, timeout: float, **options: object) -> object:
        rounds.append(timeout)
        return await backoff(*arguments, timeout=HALF_A_MINUTE, start_wait=0.01, **options)

    jupyterhub.proxy.exponential_backoff = hurried
    (listening,) = bind_sockets(0, "127.0.0.1")
    HTTPServer(Application([("/api/routes/(.*)", Routes)])).add_sockets([listening])
    proxy = PatientProxy(api_url=f"http://127.0.0.1:{listening.getsockname()[1]}", auth_token="t", should_start=False)
    found = {
        "removed while away": await outcome(proxy.api_request("user/ada", "DELETE")),
        "added while away": await outcome(proxy.api_request("user/ada", "POST", {"target": "http://x"})),
    }
    before = len(asked)
    found["refused"] = await outcome(proxy.api_request("no", "POST", {}))
    print(json.dumps(found | {"refused, asked": len(asked) - before}))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    asyncio.run(main())
