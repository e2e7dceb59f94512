"""Run by JupyterHub's own interpreter: a room full of people asks a file server at once. Prints JSON.

`many_homes.py HUB-DIRECTORY PEOPLE`, where file_server.py is.
"""
# mypy: ignore-errors

import asyncio
import json
import sys

from tornado.httpclient import HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler


class Home(RequestHandler):
    """Takes its time, and counts who is there."""

    async def get(self) -> None:
        """Answer."""
        there = self.settings["there"]
        there["now"] += 1
        there["most"] = max(there.values())
        await asyncio.sleep(0.05)
        there["now"] -= 1


async def main(people: int) -> None:
    from file_server import AT_ONCE, OthersFirst, answered

    (listening,) = bind_sockets(0, "127.0.0.1")
    there = {"now": 0, "most": 0}
    HTTPServer(Application([("/", Home)], there=there)).add_sockets([listening])
    request = HTTPRequest(f"http://127.0.0.1:{listening.getsockname()[1]}/", connect_timeout=10)
    said = []
    answers = await asyncio.gather(*(answered(request, 1, said.append) for _ in range(people)))
    answered_well = sum(each.code == 200 for each in answers)
    in_line = sum(isinstance(each, OthersFirst) for each in said)
    found = {"answered": answered_well, "most": there["most"], "may": AT_ONCE, "in_line": in_line}
    print(json.dumps({**found, "again": len(said) - in_line}))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    asyncio.run(main(int(sys.argv[2])))
