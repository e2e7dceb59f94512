"""A database that is an older copy, or another: what the settings have dropped since is given by it to no one again."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from programs.hub.database import connected
from programs.hub.memory import TABLE, Memory
from tests.programs.hub.accounts import CHOSEN, FIRST, Hub, Person, administrator, remembered, url_of
from tests.programs.hub.postgres import PASSWORD, Postgres, switched_on
from tests.programs.hub.provided import Hub as ProvidedHub
from tests.programs.hub.provider import running
from tests.programs.hub.test_github_groups import LOGIN, github
from tests.programs.hub.test_postgres import settings
from tests.programs.hub.test_revisions import tried

COPY = "copy-of-the-database"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Provide a PostgreSQL."""
    with switched_on(tmp_path_factory.mktemp("postgres")) as made:
        yield made


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """Provide a disk that takes nothing, with what an older henhouse noted on it."""
    volume = tmp_path / "full"
    volume.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "henhouse-full", str(volume)], check=True)
    try:
        (volume / "names.json").write_text('{"ada": null, "grace": "native 0123"}')
        with suppress(OSError), (volume / "filled").open("wb", buffering=0) as filled:
            while filled.write(b"x" * 512):
                pass
        yield volume
    finally:
        subprocess.run(["umount", str(volume)], check=True)


def memory(directory: Path) -> Memory:
    return Memory("thing", str(directory), url_of(directory))


def kept(directory: Path, content: Any) -> None:
    with connected(url_of(directory)) as connection:
        memory(directory).keep(connection.cursor(), content)


def recalled(directory: Path) -> tuple[Any, bool]:
    """Return what is remembered, and whether that is sure."""
    with connected(url_of(directory)) as connection:
        cursor = connection.cursor()
        return memory(directory).recall(cursor), memory(directory).is_sure(cursor)


def test_what_is_remembered_goes_with_the_database(tmp_path: Path) -> None:
    assert recalled(tmp_path) == (None, False)
    for content in (["a"], {"b": None}, {"b": None}, []):
        kept(tmp_path, content)
        assert recalled(tmp_path) == (content, True)
    (tmp_path / "jupyterhub.sqlite").unlink()
    assert recalled(tmp_path) == (None, False)


def test_file_of_before_counts_until_the_database_has_what_it_held(tmp_path: Path) -> None:
    (tmp_path / "thing.json").write_text('["a"]')
    assert recalled(tmp_path) == (["a"], True)
    kept(tmp_path, ["b"])
    memory(tmp_path).put_aside()
    memory(tmp_path).put_aside()
    assert recalled(tmp_path) == (["b"], True)
    (tmp_path / "jupyterhub.sqlite").unlink()
    assert recalled(tmp_path) == (["a"], False), "what an older copy may have, and more"


def test_file_that_cannot_be_put_aside_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thing.json").write_text('["a"]')
    (tmp_path / "thing.json.moved").mkdir()
    memory(tmp_path).put_aside()
    assert "stays beside it all the same" in capfd.readouterr().err


def test_empty_file_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "thing.json").write_text("")
    assert recalled(tmp_path) == (None, False)


def rights(hub: Hub, **passwords: str) -> dict[str, bool]:
    """Return who may open the page Admin. A password stands for whoever has it."""
    found = {}
    for name, password in passwords.items():
        browser = hub.browser()
        assert browser.log_in(name, password), name
        found[name] = browser.get("/hub/admin").status_code == 200
    return found


def with_two_kinds(hub: Hub) -> None:
    """Let the settings' ada choose a password, and make paul an administrator at the page Admin."""
    ada: Person = hub.browser()
    assert ada.log_in("ada", FIRST)
    ada.change_password(FIRST, CHOSEN)
    hub.person("paul")
    assert administrator(hub).api("PATCH", "users/paul", admin=True).status_code == 200


@pytest.mark.programs
def test_restored_copy_makes_no_one_an_administrator_again(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        with_two_kinds(hub)
    hub.copy(COPY)
    hub.appoint("zoe")
    with hub.running():
        assert rights(hub, ada=CHOSEN, paul=CHOSEN) == {"ada": False, "paul": True}
    for _ in range(2):
        hub.restore(COPY)
        with hub.running():
            assert rights(hub, ada=CHOSEN, paul=CHOSEN) == {"ada": False, "paul": True}
            assert administrator(hub).get("/hub/admin").status_code == 200


@pytest.mark.programs
def test_restored_postgres_makes_no_one_an_administrator_again(tmp_path: Path, server: Postgres) -> None:
    hub = Hub(tmp_path, settings(server))
    with hub.running():
        with_two_kinds(hub)
    server.make_database("copy", of="postgres")
    hub.appoint("zoe")
    with hub.running():
        assert rights(hub, ada=CHOSEN, paul=CHOSEN) == {"ada": False, "paul": True}
    hub.use(url=server.of_database("copy"))
    hub.appoint("zoe")
    with hub.running():
        assert rights(hub, ada=CHOSEN, paul=CHOSEN) == {"ada": False, "paul": True}
    assert {*tmp_path.glob("*.json")} <= {tmp_path / "site.json", tmp_path / "default-image.json"}


@pytest.mark.programs
def test_hub_with_postgres_starts_on_a_full_disk(tmp_path: Path, server: Postgres, full: Path) -> None:
    server.make_database("full")
    hub = Hub(tmp_path, settings(server, url=server.of_database("full")))
    values = (tmp_path / "site.json").read_text()
    values = values.replace(f'"directory": "{tmp_path}"', f'"directory": "{full}"')
    values = values.replace(f"{tmp_path}/default-image.json", f"{full}/default-image.json")
    (tmp_path / "site.json").write_text(values)
    with hub.running():
        assert "names: ada stays given up" in hub.log()
        hub.person("alan")
        refused = administrator(hub).api("DELETE", "users/alan")
        assert refused.status_code == 500
        assert "alan keeps the name: the hub cannot note on its disk" in refused.text
        assert "alan" not in (full / "names.json").read_text()
    with hub.running():
        assert administrator(hub).get("/hub/admin").status_code == 200


@pytest.mark.programs
def test_database_that_takes_no_table_is_known_before_the_hub_is_stopped(tmp_path: Path, server: Postgres) -> None:
    server.make_database("closed")
    password = PASSWORD.replace("'", "''")
    server.says("closed", f"CREATE ROLE guest LOGIN PASSWORD '{password}'")
    Hub(tmp_path, settings(server, url=server.of_database("closed")))
    assert tried(tmp_path).status == 0
    values = (tmp_path / "site.json").read_text()
    (tmp_path / "site.json").write_text(values.replace("//hub@", "//guest@"))
    server.says("closed", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    ended = tried(tmp_path)
    assert ended.status == 1
    assert "guest may not make the table henhouse_memory" in ended.message
    server.says("closed", 'GRANT CREATE ON SCHEMA "public" TO "guest"')
    assert tried(tmp_path).status == 0


@pytest.mark.programs
def test_first_start_after_an_older_henhouse_loses_nothing_and_forgets_nothing(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        with_two_kinds(hub)
    hub.forget(administrators=["ada", "zoe"])
    hub.copy(COPY)
    hub.appoint("zoe")
    with hub.running():
        assert rights(hub, ada=CHOSEN, paul=CHOSEN) == {"ada": False, "paul": True}
    assert not (tmp_path / "administrators.json").exists()
    # Of that copy, the database does not say which of the two kinds an administrator was.
    hub.restore(COPY)
    with hub.running():
        assert rights(hub, ada=CHOSEN, paul=CHOSEN) == {"ada": False, "paul": False}
        assert "paul had the rights, are not named now" in hub.log()
        assert administrator(hub).api("PATCH", "users/paul", admin=True).status_code == 200
    with hub.running():
        assert rights(hub, paul=CHOSEN) == {"paul": True}


@pytest.mark.programs
def test_restored_copy_opens_to_no_password_that_was_generated_for_a_former_administrator(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        assert hub.browser().log_in("ada", FIRST)
    hub.copy(COPY)
    hub.appoint("zoe")
    with hub.running():
        assert hub.browser().log_in("ada", FIRST) is None
    hub.restore(COPY)
    with hub.running():
        assert hub.browser().log_in("ada", FIRST) is None


@pytest.mark.programs
def test_account_of_a_copy_is_told_apart_as_it_was_then(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        hub.person("grace")
    hub.copy("first")
    with hub.running():
        assert administrator(hub).api("DELETE", "users/grace").status_code == 204
        hub.person("grace", "password-of-another-person")
    second = remembered(tmp_path, "names")["grace"]
    hub.copy("second")
    for copy, signs in (("first", {}), ("second", {"grace": second})):
        hub.restore(copy)
        with hub.running():
            assert remembered(tmp_path, "names") == signs
    hub.lose_the_database()
    with hub.running():
        hub.person("grace")
        assert remembered(tmp_path, "names")["grace"] != second, "the homes are still others'"


@pytest.mark.programs
def test_names_of_an_older_henhouse(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    with hub.running():
        hub.person("grace")
        hub.person("alan")
    before = {"grace": "native 0123", "gone": None}
    hub.forget(names=before)
    hub.copy(COPY)
    with hub.running():
        assert remembered(tmp_path, "names") == {"grace": "native 0123"}
    left = json.loads((tmp_path / "names.json").read_text())
    assert left.keys() == before.keys()
    assert left["grace"] != "native 0123"
    hub.restore(COPY)
    with hub.running():
        now = remembered(tmp_path, "names")
        assert now.keys() == {"grace"}
        assert now["grace"] != "native 0123", "a copy does not say which of the two it has: a home is given to neither"


@pytest.mark.programs
def test_restored_copy_puts_no_one_into_the_group_of_an_organization_again(tmp_path: Path) -> None:
    with running(github(), tmp_path) as provider:
        made = ProvidedHub(tmp_path, provider, url=provider.url, **LOGIN)
        database = tmp_path / "jupyterhub.sqlite"
        with made.running() as hub:
            browser = hub.with_server("ada")
            hub.api(browser, "POST", "groups/physics")
            hub.api(browser, "POST", "groups/physics/users", users=["ada"])
            assert hub.api(browser, "GET", "groups/Flock").json()["users"] == ["ada"]
        copy = database.read_bytes()
        provider.members |= {"nest": {"ada"}}
        made.change_login(allowed_organizations=["nest"])
        for remembers in (True, True, False):
            database.write_bytes(copy)
            if not remembers:
                with connected(url_of(tmp_path)) as connection:
                    connection.execute(f"DROP TABLE {TABLE}")
            with made.running() as hub:
                browser, _ = hub.log_in("ada")
                users = [hub.api(browser, "GET", f"groups/{name}").json()["users"] for name in ("physics", "Flock")]
                # One that does not say which were organizations has them named.
                assert users == ([["ada"], []] if remembers else [["ada"], ["ada"]])
                assert hub.says("look through Flock, physics at the page Admin") is not remembers
