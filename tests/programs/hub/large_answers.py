"""Run by JupyterHub's own interpreter: what large answers of servers that it looks for become, as JSON.

`large_answers.py HUB-DIRECTORY`, where the configuration's modules are.
"""
# mypy: ignore-errors

import asyncio
import gzip
import json
import resource
import sys

from jupyterhub.utils import wait_for_http_server
from tornado.httpclient import AsyncHTTPClient

MIB = 2**20
LARGE = 256 * MIB
PACKED = gzip.compress(bytes(LARGE))
HEADERS = {
    "usual": "Content-Length: 2",
    "endless": "Connection: close",
    "long": f"Content-Length: {LARGE}",
    "packed": f"Content-Encoding: gzip\r\nContent-Length: {len(PACKED)}",
}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    kind = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode().strip("/")
    writer.write(f"HTTP/1.1 200 OK\r\n{HEADERS[kind]}\r\n\r\n".encode())
    try:
        for _ in range(LARGE // MIB if kind in ("endless", "long") else 1):
            writer.write({"usual": b"{}", "packed": PACKED}.get(kind, bytes(MIB)))
            await writer.drain()
        writer.close()
    except ConnectionError:
        """The hub has read enough."""


async def outcome(address: str) -> int | str:
    try:
        return (await wait_for_http_server(address, timeout=2)).code
    except TimeoutError as error:
        return type(error).__name__


async def main() -> None:
    from bounds import bound_answers

    AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient")  # as JupyterHub does
    bound_answers()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {kind: await outcome(f"http://127.0.0.1:{port}/{kind}") for kind in HEADERS}
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps(found | {"grown": grown * 1024}))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    asyncio.run(main())
