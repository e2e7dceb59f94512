"""A hub whose people log in with an identity provider, and what they do with it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import requests

from tests.programs.hub.asking import NO_PROVISIONER, SECRETS, configured, site
from tests.programs.hub.provider import CLIENT_ID, CLIENT_SECRET, PROVIDER_CA, Provider, running
from tests.programs.hub.running import HUB_CA, Browser, serving
from tests.tools import eventually

SERVER: Final = Path(__file__).with_name("user_server.py")
ROUTES: Final = """
from henhouse_hub import c
from jupyterhub.proxy import Proxy


class Routes(Proxy):
    should_start = False
    known = {}

    async def add_route(self, routespec, target, data):
        self.known[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec):
        self.known.pop(routespec, None)

    async def get_all_routes(self):
        return dict(self.known)


c.JupyterHub.proxy_class = Routes
"""
"""Connections do not come by a proxy."""
LOCAL_SERVERS: Final = f"""
import sys

import answers
{ROUTES}
answers.QUIET_SECONDS = 1
login = c[c.JupyterHub.authenticator_class.__name__]
login.auth_refresh_age = 1
login.http_request_kwargs = {{**login.http_request_kwargs, "request_timeout": 2}}
c.JupyterHub.spawner_class = "jupyterhub.spawner.SimpleLocalProcessSpawner"
c.Spawner.cmd = [sys.executable, {str(SERVER)!r}]
c.Spawner.pre_spawn_hook = None
c.Spawner.poll_interval = 1
"""
"""User servers are processes here; that pods are stopped in the same way is KubeSpawner's."""
SOON: Final = 40.0


class Hub:
    """A hub with this login; its settings that name the provider are added."""

    def __init__(
        self,
        directory: Path,
        provider: Provider,
        administrators: Sequence[str] = ("ada",),
        *,
        contact: str | None = None,
        **login: Any,
    ) -> None:
        self._directory = directory
        self.provider = provider
        settings = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "certificate_authority": (directory / PROVIDER_CA).read_text(),
            **login,
        }
        self.site = site(login=settings, administrators=list(administrators), contact=contact)
        self.secrets = {**SECRETS, **self.site.hub.login.given}
        self._config = configured(directory, self.site, NO_PROVISIONER, self.secrets)
        (directory / "99-local-servers.py").write_text(LOCAL_SERVERS)

    def also(self, *lines: str) -> None:
        """Add lines to its configuration, where `login` is that of the login: for a provider that has one place."""
        (self._directory / "99-local-servers.py").write_text(LOCAL_SERVERS + "\n".join(lines) + "\n")

    def appoint(self, *names: str) -> None:
        """Name the administrators, as an edit of the settings does; it takes effect at the next start."""
        self._edit(administrators=sorted(names))

    def change_login(self, **login: Any) -> None:
        """Change what the settings say of the login; it takes effect at the next start."""
        self._edit(login={**self._values()["login"], **login})

    def _values(self) -> dict[str, Any]:
        return dict(json.loads((self._directory / "site.json").read_text()))

    def _edit(self, **values: Any) -> None:
        (self._directory / "site.json").write_text(json.dumps({**self._values(), **values}))

    @contextmanager
    def running(self) -> Iterator["Hub"]:
        """Run it."""
        with serving(self._config, host=self.host) as self.url:
            yield self

    def browser(self) -> Browser:
        """Return a browser that is logged in as no one."""
        return Browser(self.url, self._directory / HUB_CA, self._directory / PROVIDER_CA)

    @property
    def authority(self) -> Path:
        """The file with the authority that signed its certificate."""
        return self._directory / HUB_CA

    @property
    def public(self) -> str:
        """Where people believe to be."""
        return f"https://{self.host}"

    @property
    def host(self) -> str:
        """Its public name."""
        return self.site.hub.host

    def authorities(self) -> tuple[str, str]:
        """Return the authorities that a browser trusts: the hub's and the provider's, in PEM."""
        return (self._directory / HUB_CA).read_text(), (self._directory / PROVIDER_CA).read_text()

    def log_in(self, person: str, browser: Browser | None = None) -> tuple[Browser, int]:
        """Go from the hub to the provider and back as this person; return the browser and the last page's status."""
        browser = browser or self.browser()
        self.provider.visitor = person
        return browser, browser.follow("/hub/oauth_login?next=/hub/home", self.public).status_code

    def lets_in(self, person: str) -> bool:
        """Return whether this person may log in."""
        return self.log_in(person)[1] == 200

    def tokens_of(self, person: str) -> list[str]:
        """Return the person's tokens at the provider, the newest last."""
        return [token for token, name in self.provider.who.items() if name == person]

    def with_server(self, person: str, name: str | None = None) -> Browser:
        """Log in as this person, start their server and wait for it."""
        browser, status = self.log_in(person)
        assert status == 200, self.log()
        name = name or person.lower()
        assert browser.post("/hub/spawn").status_code == 302
        eventually(f"the server of {name}", lambda: self.runs(browser, name), seconds=SOON)
        return browser

    def runs(self, browser: Browser, name: str) -> bool:
        """Return whether the hub says to the person of this name that their server runs."""
        answer = self.api(browser, "GET", f"users/{name}")
        return bool(answer.json().get("servers", {}).get("", {}).get("ready"))

    def api(self, browser: Browser, method: str, path: str, **body: Any) -> requests.Response:
        """Ask the hub's API as its own pages do; `body` is sent as JSON."""
        headers = {"Referer": f"{self.url}/hub/home"}
        return browser.session.request(
            method,
            f"{self.url}/hub/api/{path}",
            params={"_xsrf": browser.xsrf()},
            headers=headers,
            json=body or None,
        )

    def asks_again(self) -> None:
        """Wait until the hub has asked the provider about everybody once more: twice has it begun to."""
        for _ in range(2):
            asked = self.provider.asked
            eventually("a question", lambda asked=asked: self.provider.asked > asked, seconds=SOON)  # type: ignore[misc]

    def says(self, *words: str) -> bool:
        """Return whether a line of the hub's log has these words."""
        return any(all(word in line for word in words) for line in self.log().splitlines())

    def log(self) -> str:
        """Return what the hub said."""
        return (self._directory / "log").read_text()


@contextmanager
def running_beside(
    provider: Provider, directory: Path, administrators: Sequence[str] = ("ada",), **login: Any
) -> Iterator[Hub]:
    """Run the provider, and a hub whose people log in with it."""
    with (
        running(provider, directory),
        Hub(directory, provider, administrators, url=provider.url, **login).running() as hub,
    ):
        yield hub
