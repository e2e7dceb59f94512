"""Run by JupyterHub's own interpreter in the place of a user server: answers every question, until its hub ends.

`user_server.py [FILE]`: while there is such a file, it keeps running without the hub, as a pod does.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()


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
