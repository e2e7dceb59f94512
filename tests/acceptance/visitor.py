"""A person on the campus who speaks to the hub without a browser: curl with a jar of cookies of its own."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.acceptance.site import inside, output
from tests.browser.session import GATEWAY, HUB
from tests.tools import eventually

SERVER_SECONDS: Final = 300


@dataclass(frozen=True)
class Answer:
    """What the hub sent."""

    status: int
    """0 where there was none."""
    text: str


@dataclass(frozen=True)
class Visitor:
    """One person and what their browser would keep."""

    directory: Path

    def ask(self, path: str, *options: str) -> Answer:
        """Ask the hub for a path as it is written, with more options of curl(1)."""
        jar = str(self.directory / "cookies")
        authority = self.directory / "ca.pem"
        authority.write_text(str(output("ca_certificate"))) if not authority.exists() else None
        ours = ("--cookie", jar, "--cookie-jar", jar, "--resolve", f"{HUB}:443:{GATEWAY}", "--cacert", str(authority))
        written = ("--silent", "--path-as-is", "--max-time", "60", "--write-out", "\n%{http_code}")
        # Its exit status says that a stream of events had not ended in time, which is as good an answer as any.
        done = inside("curl", *written, *ours, *options, f"https://{HUB}{path}", check=False)
        text, _, status = done.stdout.rpartition("\n")
        return Answer(int(status), text)

    def send(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send a form, with the hub's token against forged ones."""
        data = [f"{name}={value}" for name, value in {**fields, "_xsrf": self._xsrf()}.items()]
        return self.ask(path, *(part for each in data for part in ("--data-urlencode", each)))

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Call the hub's API as the person, as its own pages do."""
        headers = (f"X-XSRFToken: {self._xsrf()}", "Content-Type: application/json")
        options = ("--request", method, *(part for each in headers for part in ("--header", each)))
        return self.ask(f"/hub/api{path}", *options, "--data", json.dumps(body or {}))

    def log_in(self, name: str, password: str) -> bool:
        """Whether the hub lets the person in."""
        return self.send("/hub/login?next=%2Fhub%2Fhome", {"username": name, "password": password}).status == 302

    def start(self, name: str, options: Mapping[str, Any] | None = None) -> Answer:
        """Start the person's server with these options; return the hub's answer when the server runs or has failed."""
        asked = self.call("POST", f"/users/{name}/server", options)
        if asked.status < 400:
            eventually(f"the start of {name}'s server", lambda: self.settled(name), seconds=SERVER_SECONDS)
        return asked

    def stop(self, name: str) -> None:
        """Stop the person's server, and wait until it is gone."""
        self.call("DELETE", f"/users/{name}/server")
        eventually(f"the end of {name}'s server", lambda: not self._servers(name), seconds=SERVER_SECONDS)

    def runs(self, name: str) -> bool:
        """Whether the person's server runs."""
        servers = self._servers(name)
        return bool(servers) and bool(servers[""]["ready"])

    def settled(self, name: str) -> bool:
        """Whether the person's server runs, or there is none: nothing is under way that would refuse another start."""
        servers = self._servers(name)
        return not servers or servers[""]["ready"]

    def _servers(self, name: str) -> dict[str, Any]:
        answer = self.call("GET", f"/users/{name}")
        assert answer.status == 200, answer
        found: dict[str, Any] = json.loads(answer.text)["servers"]
        return found

    def _xsrf(self) -> str:
        """Return the hub's token against forged forms, a cookie that its pages and a login set."""
        jar = self.directory / "cookies"
        if not jar.exists():
            answer = self.ask("/hub/login")
            assert answer.status == 200, answer
        kept = [line.split("\t") for line in jar.read_text().splitlines()]
        found = [cookie[-1] for cookie in kept if len(cookie) == 7 and cookie[-2] == "_xsrf"]
        assert found, f"the hub's pages set no cookie _xsrf: {kept}"
        return found[0]


@contextmanager
def visitor() -> Iterator[Visitor]:
    """Provide a person whose cookies are forgotten afterwards."""
    with tempfile.TemporaryDirectory(prefix="henhouse-visitor-") as directory:
        yield Visitor(Path(directory))
