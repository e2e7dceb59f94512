"""Tables of the database that are older or newer than JupyterHub: what the hub does, and what is known before."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from components.apps.hub.site_json import TERMINATION, TRY_DATABASE
from programs.hub.memory import TABLE
from tests.programs.hub.asking import SECRETS, configured, kubeconfig
from tests.programs.hub.postgres import PASSWORD, Postgres, switched_on
from tests.programs.hub.running import serving
from tests.programs.hub.test_postgres import settings
from tests.stacks.test_fragments import parsed, written
from tests.tools import jupyterhub_python

pytestmark = pytest.mark.programs

REVISIONS: Final = Path(__file__).with_name("alembic_revisions.py")
FILE: Final = "jupyterhub.sqlite"
COPY: Final = f"{FILE}.2026-11-01-0200"


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int
    message: str
    """What Kubernetes shows of it."""
    log: str


def brought(url: str, revision: str) -> None:
    """Bring a database to one of the revisions that `alembic_revisions.py` knows."""
    done = subprocess.run(
        [str(jupyterhub_python()), str(REVISIONS), url, revision], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def file(directory: Path, revision: str) -> Path:
    """Make the file of SQLite beside the configuration."""
    path = directory / FILE
    brought(f"sqlite:///{path}", revision)
    return path


def environment(directory: Path) -> dict[str, str]:
    # JupyterHub finds alembic there, as in its image.
    path = f"{jupyterhub_python().parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "KUBECONFIG": str(directory / "kubeconfig")}


def started(directory: Path) -> Ended:
    """Start a hub that cannot, as Kubernetes does again and again."""
    done = subprocess.run(
        [str(jupyterhub_python()), "-m", "jupyterhub", "--config", str(directory / "jupyterhub_config.py")],
        cwd=directory,
        env=environment(directory),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ended(done.returncode, "", done.stdout + done.stderr)


def tried(directory: Path, *, longest: int = 120) -> Ended:
    """Look at the database as the Job does before the hub is stopped; wait for it for at most `longest` seconds."""
    message, program, termination = (directory / each for each in ("message", TRY_DATABASE, TERMINATION))
    message.write_text("")
    termination.write_text(termination.read_text().replace("/dev/termination-log", str(message)))
    program.write_text(re.sub("(LONGEST_SECONDS: Final) = [0-9]+", rf"\1 = {longest}", program.read_text()))
    done = subprocess.run(
        [str(jupyterhub_python()), str(program)],
        env=environment(directory),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ended(done.returncode, message.read_text(), done.stdout + done.stderr)


def copies(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.glob(f"{FILE}.*"))


def held(path: Path) -> list[str]:
    """Return what a file of SQLite holds, but for what henhouse remembers in it, which is there before a copy is."""
    with closing(sqlite3.connect(path)) as connection:
        return [line for line in connection.iterdump() if TABLE not in line]


@pytest.fixture
def pod(tmp_path: Path) -> Path:
    """Return a directory as the pod has it, of a site that tries its configuration."""
    directory, stack = tmp_path / "hub", tmp_path / "stack"
    directory.mkdir()
    written(stack, {"80-own.py": "# nothing\n"})
    configured(directory, parsed(stack, fragments="site/fragments", login="dummy"))
    (directory / "kubeconfig").write_text(kubeconfig("https://127.0.0.1:1"))
    return directory


def test_hub_with_the_database_of_a_newer_one_says_so_and_copies_nothing(pod: Path) -> None:
    kept = file(pod, "newer").read_bytes()
    for _ in range(2):
        ended = started(pod)
        assert ended.status != 0
        assert "is older than its tables (f00dfeedbeef)" in ended.log
        assert f"beside {FILE} there is no copy that it can use" in ended.log
    assert copies(pod) == []
    assert (pod / FILE).read_bytes() == kept


def test_newest_copy_that_fits_is_named(pod: Path) -> None:
    for number, revision in enumerate(("older", "current", "newer")):
        shutil.move(file(pod, revision), pod / f"{COPY}0{number}")
    (pod / f"{COPY}09").write_bytes((pod / f"{COPY}01").read_bytes()[:5000])
    (pod / f"{FILE}.of-mine").write_bytes((pod / f"{COPY}01").read_bytes())
    file(pod, "newer")
    before = copies(pod)
    ended = tried(pod)
    assert ended.status == 1
    assert ended.message == ended.log.strip()
    assert "Set hub.image to the newer one again" in ended.message
    assert f"the newest copy that it can use is {COPY}01, beside {FILE}" in ended.message
    assert copies(pod) == before


def test_older_tables_are_changed_and_copied_once(pod: Path) -> None:
    was, before = file(pod, "older").read_bytes(), held(pod / FILE)
    assert tried(pod) == Ended(0, "", "")
    assert (pod / FILE).read_bytes() == was
    for _ in range(2):
        with serving(pod / "jupyterhub_config.py", PATH=environment(pod)["PATH"]):
            pass
    (copy,) = copies(pod)
    assert held(pod / copy) == before
    assert tried(pod) == Ended(0, "", "")


def test_change_of_tables_that_fails_leaves_one_copy(pod: Path) -> None:
    """However often Kubernetes starts the hub again; a copy of other contents, or of another's, stays."""
    was = file(pod, "stamped-older")
    before = held(was)
    others = {f"{COPY}00": b"other contents", f"{FILE}.of-mine": was.read_bytes()}
    assert "duplicate column" in started(pod).log
    (first,) = set(copies(pod))
    (pod / f"{COPY}01").write_bytes((pod / first).read_bytes()[:5000])
    for name, content in others.items():
        (pod / name).write_bytes(content)
    for _ in range(3):
        ended = started(pod)
        assert ended.status != 0
        assert "duplicate column" in ended.log
    (copy,) = set(copies(pod)) - set(others)
    assert copy != f"{COPY}01", "the disk had no room for all of it"
    assert held(pod / copy) == before
    for name, content in others.items():
        assert (pod / name).read_bytes() == content


def test_other_file_in_its_place_is_told(pod: Path) -> None:
    (pod / FILE).write_bytes(b"something else" * 1000)
    ended = tried(pod)
    assert (ended.status, "file is not a database" in ended.message) == (1, True)


def test_first_hub_has_nothing_to_look_at(pod: Path) -> None:
    assert tried(pod) == Ended(0, "", "")
    assert not (pod / FILE).exists(), "the directory is mounted read-only"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Leave what a hub leaves that is killed while it writes: the next one has to put it right."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("CREATE TABLE filler (text)")
    connection.execute("BEGIN EXCLUSIVE")
    connection.executemany("INSERT INTO filler VALUES (?)", [("x" * 5000,)] * 50)
    left = {each.name: each.read_bytes() for each in path.parent.glob(f"{path.name}*")}
    connection.execute("ROLLBACK")
    connection.close()
    for name, content in left.items():
        (path.parent / name).write_bytes(content)
    assert len(left) == 2
    yield


def test_what_a_killed_hub_left_is_the_next_ones_to_put_right(pod: Path) -> None:
    with writing(file(pod, "current")):
        left = {each.name: each.read_bytes() for each in pod.glob(f"{FILE}*")}
        ended = tried(pod)
        assert (ended.status, ended.message) == (0, ""), ended.log
        assert {each.name: each.read_bytes() for each in pod.glob(f"{FILE}*")} == left


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Provide a PostgreSQL, switched on."""
    with switched_on(tmp_path_factory.mktemp("postgres")) as made:
        yield made


def with_postgres(directory: Path, server: Postgres, revision: str | None = None, **more: Any) -> Path:
    """Put the files where the pod has them, and make a database with tables of a revision."""
    name = f"hub{abs(hash(directory))}"
    server.make_database(name)
    written(directory, {"80-own.py": "# nothing\n"})
    db = settings(server, **{"url": server.url.replace("/postgres", f"/{name}"), **more})
    of = parsed(directory, fragments="site/fragments", login="dummy", db=db)
    configured(directory, of, secrets={**SECRETS, **of.hub.db.given})
    (directory / "kubeconfig").write_text(kubeconfig("https://127.0.0.1:1"))
    if revision:
        url = of.hub.db.address("/", str(directory / "secrets")).replace("hub@", f"hub:{_quoted(PASSWORD)}@")
        brought(url, revision)
    return directory


def _quoted(password: str) -> str:
    return "".join(f"%{byte:02x}" for byte in password.encode())


@pytest.mark.parametrize(
    ("revision", "upgrade", "said"),
    [
        (None, False, None),
        ("current", False, None),
        ("older", True, None),
        ("older", False, "with pg_dump, set hub.db.upgrade: true for one `up`"),
        ("newer", True, "is older than its tables"),
        ("newer", False, "put your own copy from before back"),
    ],
)
def test_tables_in_postgres_are_looked_at(
    tmp_path: Path, server: Postgres, revision: str | None, upgrade: bool, said: str | None
) -> None:
    pod = with_postgres(tmp_path, server, revision, upgrade=upgrade)
    ended = tried(pod)
    if said is None:
        assert ended == Ended(0, "", "")
        with serving(pod / "jupyterhub_config.py", PATH=environment(pod)["PATH"]):
            pass
    else:
        assert ended.status == 1
        assert said in ended.message
        assert said in started(pod).log
    assert PASSWORD not in ended.log


def test_wrong_password_is_told_after_a_while(tmp_path: Path, server: Postgres) -> None:
    ended = tried(with_postgres(tmp_path, server, password="T0P-S3CRET of another"), longest=2)
    assert ended.status == 1
    assert "password authentication failed for user" in ended.message
    assert "T0P-S3CRET" not in ended.log
