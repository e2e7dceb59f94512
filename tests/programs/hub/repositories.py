"""A host of git repositories over HTTPS, with git's own server behind it, and repositories with pages."""

import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Final

from tests.programs.hub import git_server
from tests.programs.hub.over_tls import over_tls

AUTHOR: Final = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")


@dataclass
class Host:
    """What it has and does; tests change it while it runs."""

    root: Path
    """Where the repositories are, as `NAME.git`."""
    people: dict[str, str] | None = None
    """Whose a token is; None where everybody may fetch."""
    newest_protocol: bool = True
    """Whether it speaks more than git's first protocol, which gives only the last commits of branches."""
    moved: str | None = None
    """The URL of another host, where all of its repositories are now."""
    silent: threading.Event | None = None
    """It does not answer before this is set."""
    url: str = ""
    authority: str = ""
    """PEM."""
    heard: list[str] = field(default_factory=list)
    """The Authorization of each request."""

    def repository(self, name: str = "pages") -> str:
        """Return the URL of a repository."""
        return f"{self.url}/repositories/{name}.git"


def commit(root: Path, files: Mapping[str, str | bytes], name: str = "pages", *, links: Mapping[str, str] = {}) -> str:
    """Put these files, in the place of those before, into the repository of that name and return the new commit."""
    repository, work = root / f"{name}.git", root / f"{name}.work"
    if not repository.exists():
        _git("init", "--quiet", "--bare", "--initial-branch=main", str(repository))
        _git("clone", "--quiet", str(repository), str(work))
        _git("-C", str(work), "checkout", "--quiet", "-B", "main")
    _git("-C", str(work), "rm", "-r", "--quiet", "--ignore-unmatch", "--force", ".")
    for path, content in files.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(content.encode() if isinstance(content, str) else content)
    for path, target in links.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).symlink_to(target)
    _git("-C", str(work), "add", "--all", "--force")
    _git("-C", str(work), *AUTHOR, "commit", "--quiet", "--allow-empty", "--message=pages")
    _git("-C", str(work), "push", "--quiet", "origin", "main")
    return _git("-C", str(work), "rev-parse", "HEAD").strip()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


class _Handler(BaseHTTPRequestHandler):
    host: Host

    def do_GET(self) -> None:
        """Answer."""
        self.host.heard.append(self.headers.get("Authorization", ""))
        if self.host.silent:
            self.host.silent.wait()
        if self.host.moved:
            self.send_response(301)
            self.send_header("Location", f"{self.host.moved}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        protocol = self.headers.get("Git-Protocol", "") if self.host.newest_protocol else ""
        git_server.serve(self, self.host.root, self.host.people, protocol)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def hosted(root: Path, listener: socket.socket | None = None) -> Iterator[Host]:
    """Serve the repositories below `root` over HTTPS, at a port of the loopback or where `listener` listens."""
    host = Host(root)
    handler = type("Handler", (_Handler,), {"host": host})
    with over_tls(handler, root, "repositories", listener) as (host.url, host.authority):
        try:
            yield host
        finally:
            if host.silent:
                host.silent.set()
