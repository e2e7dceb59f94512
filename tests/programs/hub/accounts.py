"""A hub that keeps people's accounts, and what they and its administrators do with it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import requests

from programs.hub.database import connected
from programs.hub.memory import TABLE, Memory
from tests.programs.hub.asking import SECRETS, configured, site
from tests.programs.hub.provided import ROUTES, SERVER, SOON
from tests.programs.hub.running import HUB_CA, Browser, serving
from tests.tools import eventually

FIRST: Final = "first-password-of-ada"
CHOSEN: Final = "a-password-that-was-chosen"
HELD: Final = "starts-wait"
LOCAL_SERVERS: Final = """
import asyncio
import sys
from pathlib import Path


async def wait(spawner):
    while Path({held!r}).exists():
        await asyncio.sleep(0.1)


c.JupyterHub.spawner_class = "jupyterhub.spawner.SimpleLocalProcessSpawner"
c.Spawner.cmd = [sys.executable, {server!r}]
c.Spawner.environment = {{"TELLS_ENVIRONMENT": {directory!r}}}
c.Spawner.interrupt_timeout = 1
c.Spawner.pre_spawn_hook = wait
c.JupyterHub.allow_named_servers = True
"""
"""User servers are processes here; that pods are stopped in the same way is KubeSpawner's."""


class Person(Browser):
    """The browser of a person with an account that the hub keeps."""

    def api(self, method: str, path: str, **body: Any) -> requests.Response:
        """Ask the hub's API as its own pages do; `body` is sent as JSON."""
        headers = {"Referer": f"{self.url}/hub/admin"}
        where = f"{self.url}/hub/api/{path}"
        return self.session.request(method, where, params={"_xsrf": self.xsrf()}, headers=headers, json=body or None)

    def is_in(self) -> bool:
        """Return whether the hub still knows who this is."""
        return self.get("/hub/home").status_code == 200

    def token(self, name: str) -> str:
        """Return a token of the person's that never ends."""
        made = self.api("POST", f"users/{name}/tokens", note="of a script")
        assert made.status_code == 201, made.text
        return str(made.json()["token"])

    def set_password(self, name: str, password: str) -> requests.Response:
        """Set another person's password as an administrator does."""
        passwords = {"new_password": password, "new_password_confirmation": password}
        answer = self.post(f"/hub/change-password/{name}", **passwords)
        assert "changed successfully" in answer.text, answer.text
        return answer

    def change_password(self, before: str, password: str) -> None:
        """Change one's own password."""
        passwords = {"new_password": password, "new_password_confirmation": password}
        answer = self.post("/hub/change-password", old_password=before, **passwords)
        assert "changed successfully" in answer.text, answer.text

    def ask_for_a_token(self, name: str, password: str) -> int:
        """Ask the API for a token with a password, and return the status."""
        auth = {"auth": {"username": name, "password": password}}
        return self.session.post(f"{self.url}/hub/api/users/{name}/tokens", json=auth).status_code

    def sign_up(self, name: str) -> int:
        """Ask for an account, and return the status."""
        passwords = {"signup_password": CHOSEN, "signup_password_confirmation": CHOSEN}
        return self.post("/hub/signup", username=name, **passwords).status_code


class Hub:
    """A hub with two administrators, ada and zoe; `db` is what the settings say of its database."""

    def __init__(self, directory: Path, db: dict[str, Any] | None = None, **login: object) -> None:
        self._directory = directory
        self._db = {"db": db} if db else {}
        self._login = {"type": "native", **login}
        self._watcher: Person | None = None
        self.appoint("zoe", "ada")

    def appoint(self, *names: str, **made: str) -> None:
        """Name the administrators, as an edit of the settings does; it takes effect at the next start.

        `made` has generated passwords that are others than the first.
        """
        shutil.rmtree(self._directory / "secrets", ignore_errors=True)
        passwords = {name: made.get(name, f"first-password-of-{name}") for name in names}
        settings = site(login=self._login, administrators=list(names), **self._db)
        secrets = {**SECRETS, **settings.hub.db.given, "administrators": json.dumps(passwords)}
        self._config = configured(self._directory, settings, secrets=secrets)
        local = LOCAL_SERVERS.format(
            held=str(self._directory / HELD), server=str(SERVER), directory=str(self._directory)
        )
        (self._directory / "99-local-servers.py").write_text(ROUTES + local)

    def use(self, **db: Any) -> None:
        """Change what the settings say of the database, for the next time that administrators are named."""
        self._db = {"db": {**self._db["db"], **db}}

    @contextmanager
    def running(self) -> Iterator["Hub"]:
        """Run it."""
        with serving(self._config) as self._url:
            yield self

    def browser(self) -> Person:
        """Return a person's browser, logged in as no one."""
        return Person(self._url, self._directory / HUB_CA)

    @property
    def directory(self) -> Path:
        """Where it keeps its files."""
        return self._directory

    def takes(self, token: str) -> bool:
        """Return whether a token is good for anything."""
        headers = {"Authorization": f"token {token}"}
        answer = requests.get(f"{self._url}/hub/api/user", headers=headers, verify=str(self._directory / HUB_CA))
        return answer.status_code == 200

    def person(self, name: str, password: str = CHOSEN) -> Person:
        """Let in a person that an administrator adds, and return their browser, logged in."""
        zoe = administrator(self)
        assert zoe.api("POST", f"users/{name}").status_code == 201
        zoe.set_password(name, password)
        browser = self.browser()
        assert browser.log_in(name, password)
        return browser

    def start_server(self, browser: Person, name: str) -> None:
        """Start a person's server as they do, and wait for it."""
        assert browser.post("/hub/spawn").status_code == 302
        eventually(f"the server of {name}", lambda: self.runs(name), seconds=SOON)

    def runs(self, name: str) -> bool:
        """Return whether the hub says that the server of a person runs."""
        return bool(self.servers(name).get("", {}).get("ready"))

    def servers(self, name: str) -> dict[str, Any]:
        """Return what the hub tells an administrator of a person's servers; nothing where it has no such person."""
        if self._watcher is None or self._watcher.url != self._url:
            self._watcher = self.browser()
            assert self._watcher.log_in("ada", FIRST)
        return dict(self._watcher.api("GET", f"users/{name}").json().get("servers", {}))

    def servers_token(self, name: str) -> str:
        """Return the token that a person's running server has."""
        return str(json.loads((self._directory / name).read_text())["JUPYTERHUB_API_TOKEN"])

    def hold_starts(self, held: bool) -> None:
        """Let servers that are starting wait, or wait no longer."""
        if held:
            (self._directory / HELD).touch()
        else:
            (self._directory / HELD).unlink()

    def copy(self, name: str) -> None:
        """Keep a copy of the database, while the hub does not run."""
        shutil.copy(self._directory / "jupyterhub.sqlite", self._directory / name)

    def restore(self, name: str) -> None:
        """Put such a copy in the place of the database."""
        shutil.copy(self._directory / name, self._directory / "jupyterhub.sqlite")

    def forget(self, **files: object) -> None:
        """Take from the database what it remembers of the settings, as an older henhouse's, which had it in `files`."""
        with connected(url_of(self._directory)) as connection:
            connection.execute(f"DROP TABLE {TABLE}")
        for name, content in files.items():
            (self._directory / f"{name.replace('_', '-')}.json").write_text(json.dumps(content))

    def log(self) -> str:
        """Return what the hub said since it was last started."""
        return (self._directory / "log").read_text()

    def lose_the_database(self) -> None:
        """Remove the file, as a broken disk does."""
        (self._directory / "jupyterhub.sqlite").unlink()


def url_of(directory: Path) -> str:
    """Return the address of the database that a hub has in its directory."""
    return f"sqlite:///{directory}/jupyterhub.sqlite"


def remembered(directory: Path, name: str) -> Any:
    """Return what such a database remembers by this name; nothing where it does not."""
    with connected(url_of(directory)) as connection:
        return Memory(name, str(directory), url_of(directory)).stored(connection.cursor()) or {}


def administrator(hub: Hub) -> Person:
    browser = hub.browser()
    assert browser.log_in("zoe", "first-password-of-zoe")
    return browser
