"""Keys rotate by putting a new one in front: afterwards the older ones are not needed."""

import json
import shutil
import sqlite3
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.fernet import Fernet, InvalidToken

from programs.hub.database import connected, is_there, remembered
from programs.hub.stored_logins import Keyring, digests, renew
from tests.programs.hub.asking import SECRETS, ask, configured, site
from tests.programs.hub.test_revisions import tried

OLD, NEW, OTHER = ("ab" * 32, "cd" * 32, "ef" * 32)
LOGIN: Final = b'{"access_token": "x"}'


def fernet(key: str) -> Fernet:
    return Fernet(urlsafe_b64encode(bytes.fromhex(key)))


def database(directory: Path, **logins: bytes | None) -> Path:
    path = directory / "jupyterhub.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, encrypted_auth_state BLOB)")
        connection.executemany("INSERT INTO users (name, encrypted_auth_state) VALUES (?, ?)", logins.items())
    return path


def renewed(path: Path, keys: list[str]) -> tuple[int, int]:
    with connected(f"sqlite:///{path}") as connection:
        return renew(connection, keys)


def stored(path: Path) -> dict[str, Any]:
    with sqlite3.connect(path) as connection:
        return dict(connection.execute("SELECT name, encrypted_auth_state FROM users"))


def test_what_an_older_key_encrypted_is_read_by_the_newest(tmp_path: Path) -> None:
    new = fernet(NEW).encrypt(LOGIN)
    path = database(tmp_path, ada=fernet(OLD).encrypt(LOGIN), zoe=new, eve=None)
    assert renewed(path, [NEW, OLD]) == (1, 0)
    after = stored(path)
    assert fernet(NEW).decrypt(after["ada"]) == LOGIN
    assert after["zoe"] == new, "what the newest reads is left alone"
    assert after["eve"] is None
    assert renewed(path, [NEW]) == (0, 0), "the old one may be dropped"


def test_what_no_key_reads_is_counted_and_kept(tmp_path: Path) -> None:
    lost, kept = fernet(OTHER).encrypt(LOGIN), fernet(OLD).encrypt(LOGIN)
    path = database(tmp_path, ada=lost, zoe=kept, eve=b"garbage")
    assert renewed(path, [NEW, OLD]) == (1, 2)
    assert stored(path)["ada"] == lost, "a key that is named again reads it again"
    with pytest.raises(InvalidToken):
        fernet(OLD).decrypt(stored(path)["zoe"])


def test_order_that_is_turned_around_loses_nothing(tmp_path: Path) -> None:
    path = database(tmp_path, ada=fernet(NEW).encrypt(LOGIN))
    assert renewed(path, [OLD, NEW]) == (1, 0)
    assert renewed(path, [NEW, OLD]) == (1, 0)
    assert fernet(NEW).decrypt(stored(path)["ada"]) == LOGIN


def test_first_start_has_nothing_to_renew(tmp_path: Path) -> None:
    assert not is_there(f"sqlite:///{tmp_path}/none.sqlite"), "JupyterHub makes it"
    (tmp_path / "empty.sqlite").touch()
    assert renewed(tmp_path / "empty.sqlite", [NEW]) == (0, 0)


@pytest.mark.programs
def test_jupyterhub_reads_what_was_renewed(tmp_path: Path) -> None:
    """Its own encryption wrote it with the old key, and reads it with the new one alone."""
    started(tmp_path, "keep", old=OLD)
    started(tmp_path, "settings", new=NEW, old=OLD)
    assert started(tmp_path, "kept", new=NEW) == json.loads(LOGIN)


@pytest.mark.programs
def test_hub_does_not_start_without_the_key_of_its_logins(tmp_path: Path) -> None:
    started(tmp_path, "keep", old=OLD)
    for _ in range(2):
        with pytest.raises(AssertionError) as refused:
            started(tmp_path, "settings", new=NEW)
        assert "the hub does not start, so that 1 are not lost" in str(refused.value)
        assert "keys: [new, old]" in str(refused.value)
    started(tmp_path, "settings", new=NEW, old=OLD)
    assert started(tmp_path, "kept", new=NEW) == json.loads(LOGIN), "nothing was lost"


@pytest.mark.programs
def test_hub_starts_where_the_key_is_said_to_be_lost(tmp_path: Path) -> None:
    started(tmp_path, "keep", old=OLD)
    started(tmp_path, "settings", keys_lost=True, new=NEW)
    started(tmp_path, "settings", new=NEW)


@pytest.mark.programs
def test_restored_database_of_an_older_key_says_which_one_it_needs(tmp_path: Path) -> None:
    started(tmp_path, "keep", old=OLD)
    copy = tmp_path / "copy"
    shutil.copy(tmp_path / "jupyterhub.sqlite", copy)
    started(tmp_path, "settings", new=NEW, old=OLD)
    started(tmp_path, "settings", new=NEW)
    shutil.copy(copy, tmp_path / "jupyterhub.sqlite")
    with pytest.raises(AssertionError) as refused:
        started(tmp_path, "settings", new=NEW)
    assert "old has encrypted them and is not in hub.keys any more" in str(refused.value)
    assert not (tmp_path / "keys.json").exists()


@pytest.mark.programs
def test_wrong_rotation_is_known_before_the_hub_is_stopped(tmp_path: Path) -> None:
    started(tmp_path, "keep", old=OLD)
    before = (tmp_path / "jupyterhub.sqlite").read_bytes()
    cases: list[tuple[dict[str, str], bool, str | None]] = [
        ({"new": NEW}, False, "old has encrypted them and is not in hub.keys any more"),
        ({"old": NEW}, False, "old has encrypted them and has another value now"),
        ({"new": NEW}, True, None),
        ({"new": NEW, "old": OLD}, False, None),
    ]
    for keys, lost, said in cases:
        again(tmp_path)
        of = site(keys=[*keys], keys_lost=lost)
        configured(tmp_path, of, secrets={**SECRETS, "crypt-keys": ";".join(keys.values())})
        ended = tried(tmp_path)
        assert ended.status == (1 if said else 0), ended.log
        assert (said or "") in ended.message
    assert (tmp_path / "jupyterhub.sqlite").read_bytes() == before, "the hub that runs has it still"


def again(directory: Path) -> None:
    """Take away what is put there for each hub."""
    for leftover in ("secrets", "pages"):
        if (directory / leftover).exists():
            shutil.rmtree(directory / leftover)


def started(directory: Path, question: str, *, keys_lost: bool = False, **keys: str) -> Any:
    """Start a hub with these keys, newest first, and ask it."""
    again(directory)
    of = site(keys=[*keys], keys_lost=keys_lost)
    return ask(directory, question, of=of, secrets={**SECRETS, "crypt-keys": ";".join(keys.values())})


def test_key_that_is_missed_is_the_one_that_encrypted_last() -> None:
    assert Keyring(None).missing({"new": NEW}) is None, "a hub of before remembers nothing, and starts"
    ring = Keyring(digests({"new": NEW, "old": OLD}))
    assert ring.missing({"new": NEW}) is None
    assert ring.missing({"other": OTHER, "renamed": NEW}) is None
    assert ring.missing({"old": OLD}) == "new"
    assert ring.missing({"new": OTHER, "old": OLD}) == "new", "another key by its name is not it"
    assert Keyring([]).missing({"old": OLD}) is None


def test_new_key_that_does_not_stand_first_is_named() -> None:
    assert not [*Keyring(None).behind({"new": NEW, "old": OLD})], "nothing was there before"
    ring = Keyring(digests({"old": OLD}))
    assert not [*ring.behind({"new": NEW, "old": OLD})]
    assert [*ring.behind({"old": OLD, "new": NEW})] == ["new"]
    assert [*ring.behind({"other": OTHER, "old": OLD, "new": NEW})] == ["new"]


def test_each_database_has_files_of_its_own(tmp_path: Path) -> None:
    """Back in SQLite, a site must know who its administrators and keys were there, and not in PostgreSQL."""
    urls = (
        f"sqlite:///{tmp_path}/jupyterhub.sqlite",
        "postgresql+psycopg2://hub@db.example.org:5432/hub?sslmode=require",
        "postgresql+psycopg2://hub@db.example.org:5432/other?sslmode=require",
    )
    files = [remembered(str(tmp_path), "keys.json", url) for url in urls]
    assert files[0] == tmp_path / "keys.json"
    assert len(set(files)) == len(urls)
    stricter = urls[1].replace("require", "verify-full")
    assert remembered(str(tmp_path), "keys.json", stricter) == files[1], "the same database"
