"""Run by JupyterHub's own interpreter: serves the hub's pages over HTTPS until its standard input ends.

`serving.py CONFIG CERTIFICATE KEY`; prints the port. No proxy and no user server is started.
"""
# mypy: ignore-errors

import asyncio
import ssl
import sys

from jupyterhub.app import JupyterHub
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets


async def serve(config: str, certificate: str, key: str) -> None:
    hub = JupyterHub.instance(config_file=config)
    await hub.initialize([])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(hub.tornado_application, ssl_options=context)
    (listening,) = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listening])
    print(listening.getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
