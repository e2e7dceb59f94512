"""Repositories over HTTP behind the provider's own name, as at GitHub: git's own server, for whoever has a token."""

import base64
import os
import subprocess
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

PREFIX: Final = "/repositories/"


def serve(
    handler: BaseHTTPRequestHandler, repositories: Path, people: dict[str, str] | None, protocol: str = ""
) -> None:
    """Answer a request for a repository. `people` says whose a token is; their login goes with it.

    Where that is None, everybody may ask. `protocol` is git's, as its header has it; "" is the first one.
    """
    user = "everybody" if people is None else _visitor(handler.headers.get("Authorization", ""), people)
    if user is None:
        handler.send_response(401)
        handler.send_header("WWW-Authenticate", 'Basic realm="repositories"')
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    url = urlsplit(handler.path)
    asked = {
        "GIT_PROJECT_ROOT": str(repositories),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{url.path.removeprefix(PREFIX)}",
        "QUERY_STRING": url.query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "REMOTE_USER": user,
        "GIT_PROTOCOL": protocol,
    }
    body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
    # It fails, too, when it has answered that it does not have what is asked for.
    done = subprocess.run(["git", "http-backend"], env=os.environ | asked, input=body, capture_output=True, check=False)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    handler.send_response(int(headers.pop("Status", "200").split()[0]))
    for name, value in {**headers, "Content-Length": str(len(content))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


def _visitor(authorization: str, people: dict[str, str]) -> str | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme != "Basic":
        return None
    user, _, token = base64.b64decode(encoded).decode().partition(":")
    return user if people.get(token) == user else None
