"""Run by JupyterHub's own interpreter in the place of a user server: answers every question, until its hub ends.

`user_server.py [FILE]`: while there is such a file, it keeps running without the hub, as a pod does. What it says of
its kernels, to whoever may use it, is in the file called as its person in the directory KERNELS_ARE_IN.
"""

import json
import os
import ssl
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer."""
        kernels = Path(os.environ.get("KERNELS_ARE_IN", "/nowhere"), os.environ["JUPYTERHUB_USER"])
        asks = self.path.endswith("/api/kernels") and kernels.exists()
        if asks and not kernels.read_bytes():
            return  # and end the connection
        self.send_response(200 if not asks or self.may_use_it() else 403)
        self.end_headers()
        if asks:
            self.wfile.write(kernels.read_bytes())

    def may_use_it(self) -> bool:
        """Return whether the hub says that who asks may use this server, and nothing else."""
        url, authority = Path(os.environ["KERNELS_ARE_IN"], ".hub").read_text().splitlines()
        hub = Request(f"{url}/hub/api/user", headers={"Authorization": self.headers["Authorization"]})
        scopes = json.load(urlopen(hub, context=ssl.create_default_context(cafile=authority)))["scopes"]
        return all(each.startswith(("access:servers!", "read:users:name!", "read:users:groups!")) for each in scopes)


if __name__ == "__main__":
    hub = os.getppid()
    if directory := os.environ.get("TELLS_ENVIRONMENT"):
        Path(directory, os.environ["JUPYTERHUB_USER"]).write_text(json.dumps(dict(os.environ)))
    if directory := os.environ.get("TELLS_ARGUMENTS"):
        Path(directory, os.environ["JUPYTERHUB_USER"]).write_text(json.dumps(sys.argv[1:]))
    server = HTTPServer(("127.0.0.1", urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"]).port or 0), Handler)
    server.timeout = 0.5
    outlives = [Path(each) for each in sys.argv[1:2]]
    while os.getppid() == hub or any(each.exists() for each in outlives):
        server.handle_request()
