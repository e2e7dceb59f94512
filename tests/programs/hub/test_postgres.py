"""The hub with a real PostgreSQL: who is logged in and whose server runs is in it, and it may be away for a while."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pytest

from components.apps.hub.site_json import WAIT_FOR_DATABASE
from stacks.settings.database import PostgresSettings
from tests.certificates import Authority
from tests.programs.hub.asking import SECRETS, ask, configured, site
from tests.programs.hub.postgres import ENVIRONMENT, PASSWORD, Postgres, postgres
from tests.programs.hub.provided import SERVER
from tests.programs.hub.running import HUB_CA, Browser, serving
from tests.tools import eventually, jupyterhub_python

pytestmark = pytest.mark.programs

SOON: Final = 60.0
LOCAL_SERVERS: Final = """
import sys

from henhouse_hub import c
from jupyterhub.proxy import Proxy


class Routes(Proxy):
    should_start = False
    known = {{}}

    async def add_route(self, routespec, target, data):
        self.known[routespec] = {{"routespec": routespec, "target": target, "data": data}}

    async def delete_route(self, routespec):
        self.known.pop(routespec, None)

    async def get_all_routes(self):
        return dict(self.known)


c.JupyterHub.proxy_class = Routes
c.JupyterHub.spawner_class = "jupyterhub.spawner.SimpleLocalProcessSpawner"
c.Spawner.cmd = [sys.executable, {server!r}, {outlives!r}]
c.Spawner.pre_spawn_hook = None
c.Spawner.poll_interval = 1
"""
"""User servers are processes that outlive the hub, as pods do."""


class Hub:
    """A hub whose servers outlive it."""

    def __init__(self, directory: Path, database: dict[str, Any] | None) -> None:
        directory.mkdir()
        self._directory = directory
        self.site = site(login="dummy", administrators=["zoe"], **({"db": database} if database else {}))
        self._config = configured(directory, self.site, secrets={**SECRETS, **self.site.hub.db.given})
        self.outlives = directory / "servers-run"
        self.outlives.touch()
        text = LOCAL_SERVERS.format(server=str(SERVER), outlives=str(self.outlives))
        (directory / "99-local-servers.py").write_text(text)

    @contextmanager
    def running(self) -> Iterator["Hub"]:
        """Run it."""
        with serving(self._config) as self.url:
            yield self

    def browser(self, before: Browser | None = None) -> Browser:
        """Return a browser at the hub that runs now, with what the one before was logged in with."""
        browser = Browser(self.url, self._directory / HUB_CA)
        if before:
            browser.session.cookies = before.session.cookies
        return browser

    def server(self, browser: Browser) -> dict[str, Any]:
        """Return what the hub says of ada's server to ada."""
        answer = browser.session.get(
            f"{self.url}/hub/api/users/ada",
            params={"_xsrf": browser.xsrf()},
            headers={"Referer": f"{self.url}/hub/home"},
        )
        found: dict[str, Any] = answer.json().get("servers", {}).get("", {}) if answer.ok else {}
        return found

    def ready(self, browser: Browser) -> bool:
        """Return whether ada's server runs and answers."""
        return bool(self.server(browser).get("ready"))

    def log(self) -> str:
        """Return what the hub said since it was last started."""
        return (self._directory / "log").read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Provide a PostgreSQL, switched off."""
    with postgres(tmp_path_factory.mktemp("postgres")) as made, pytest.MonkeyPatch.context() as environment:
        for name, value in ENVIRONMENT.items():
            environment.setenv(name, value)
        yield made


def settings(server: Postgres, **more: Any) -> dict[str, Any]:
    authority = {"certificate_authority": server.authority}
    where = {"url": server.url, "networks": ["192.0.2.10/32"]}
    return {"type": "postgres", **where, "password": PASSWORD, **authority, **more}


BOTH_READ = """
import json, sys
from psycopg2.extensions import parse_dsn
from sqlalchemy.engine import make_url

for url in sys.argv[1:]:
    sqlalchemy, libpq = make_url(url), parse_dsn(url.replace("postgresql+psycopg2://", "postgresql://"))
    print(json.dumps([[sqlalchemy.username, sqlalchemy.database], [libpq["user"], libpq["dbname"]]]))
"""


def test_both_readers_of_an_accepted_address_call_the_database_the_same() -> None:
    """What waits for the database is libpq's, and JupyterHub asks SQLAlchemy."""
    names = [("h" * 63, "d" * 63), ("h%C3%BCb.$-1", "hüb_1.$-+=x"), ("h%40b%3A%2F%25", "Hub"), ("a=b", "a'b\\\"c")]
    urls = [
        PostgresSettings.model_validate(
            {"type": "postgres", "url": f"postgresql://{user}@192.0.2.10/{name}", "password": "x"}
        ).address("/srv", "/secrets")
        for user, name in names
    ]
    command = [str(jupyterhub_python()), "-c", BOTH_READ, *urls]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    for line, (user, name) in zip(said, names, strict=True):
        assert json.loads(line) == [[unquote(user), name]] * 2


def waiting(directory: Path, log: Path) -> "subprocess.Popen[bytes]":
    """Start what the pod starts before the hub."""
    with open(log, "wb") as output:
        return subprocess.Popen(
            [str(jupyterhub_python()), str(directory / WAIT_FOR_DATABASE)],
            env=os.environ,
            stdout=output,
            stderr=output,
        )


def resumes(hub: Hub) -> None:
    """Log in, start a server, restart the hub: the person is logged in, and their server is the same."""
    try:
        with hub.running():
            ada = hub.browser()
            assert ada.log_in("ada", SECRETS["shared-password"])
            assert ada.post("/hub/spawn").status_code == 302
            eventually("ada's server", lambda: hub.ready(ada), seconds=SOON)
            started = hub.server(ada)["started"]
        with hub.running():
            again = hub.browser(ada)
            assert again.get("/hub/home").status_code == 200
            eventually("ada's server again", lambda: hub.ready(again), seconds=SOON)
            assert hub.server(again)["started"] == started
            assert "ada still running" in hub.log()
            stranger = hub.browser()
            assert stranger.get("/hub/home").status_code == 302, "a page that everybody sees says nothing"
    finally:
        hub.outlives.unlink()


def test_restarted_hub_resumes_with_sqlite(tmp_path: Path) -> None:
    resumes(Hub(tmp_path / "hub", None))


def test_restarted_hub_resumes_with_postgres(tmp_path: Path, server: Postgres) -> None:
    server.start()
    try:
        hub = Hub(tmp_path / "hub", settings(server))
        resumes(hub)
        assert PASSWORD not in hub.log()
        assert not (tmp_path / "hub/jupyterhub.sqlite").exists()
    finally:
        server.stop()


def test_database_that_is_away_is_awaited_and_said(tmp_path: Path, server: Postgres) -> None:
    Hub(tmp_path / "hub", settings(server))
    log = tmp_path / "log"
    process = waiting(tmp_path / "hub", log)
    try:
        eventually("a refused connection", lambda: b"Connection refused" in log.read_bytes(), seconds=SOON)
        assert process.poll() is None
        server.start()
        assert process.wait(30) == 0
        assert log.read_text().startswith("waiting for the database: connection to server at ")
        assert PASSWORD not in log.read_text()
    finally:
        process.kill()
        if server.runs:
            server.stop()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "T0P-S3CRET of another"}, "password authentication failed for user"),
        ({"certificate_authority": None}, None),
    ],
    ids=["a wrong password", "no authority to check it by"],
)
def test_what_keeps_the_hub_out_is_said(
    tmp_path: Path, server: Postgres, wrong: dict[str, Any], said: str | None
) -> None:
    server.start()
    log = tmp_path / "log"
    made = {key: value for key, value in settings(server, **wrong).items() if value is not None}
    Hub(tmp_path / "hub", made)
    process = waiting(tmp_path / "hub", log)
    try:
        if said is None:
            assert process.wait(30) == 0
        else:
            eventually("a reason", lambda: said in log.read_text(), seconds=SOON)
            assert "T0P-S3CRET" not in log.read_text()
    finally:
        process.kill()
        server.stop()


def test_a_stranger_is_not_taken_for_the_database(tmp_path: Path, server: Postgres) -> None:

    server.start()
    log = tmp_path / "log"
    Hub(tmp_path / "hub", settings(server, certificate_authority=Authority("a stranger's").pem))
    process = waiting(tmp_path / "hub", log)
    try:
        eventually("a reason", lambda: "certificate verify failed" in log.read_text(), seconds=SOON)
    finally:
        process.kill()
        server.stop()


def test_hub_continues_when_the_database_comes_back(tmp_path: Path, server: Postgres) -> None:
    server.start()
    hub = Hub(tmp_path / "hub", settings(server))
    try:
        with hub.running():
            ada = hub.browser()
            assert ada.log_in("ada", SECRETS["shared-password"])
            assert ada.get("/hub/home").status_code == 200
            server.stop()
            assert ada.get("/hub/home").status_code != 200, "the hub does not need its database"
            server.start()
            eventually("ada's page", lambda: ada.get("/hub/home").status_code == 200, seconds=SOON)
    finally:
        hub.outlives.unlink()
        if server.runs:
            server.stop()


def test_stored_logins_are_brought_to_the_newest_key(tmp_path: Path, server: Postgres) -> None:
    old, new = "ab" * 32, "cd" * 32
    server.start()
    try:
        server.make_database("logins")
        of = site(login="native", db=settings(server, url=server.url.replace("/postgres", "/logins")))
        for number, (keys, question) in enumerate(((old, "keep"), (f"{new};{old}", "settings"), (new, "kept"))):
            directory = tmp_path / str(number)
            directory.mkdir()
            said = ask(directory, question, of=of, secrets={**SECRETS, **of.hub.db.given, "crypt-keys": keys})
        assert said == {"access_token": "x"}
    finally:
        server.stop()
