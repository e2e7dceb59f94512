"""A real PostgreSQL on loopback, over TLS, as no root: Debian's, installed or unpacked."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.certificates import LOOPBACK, Authority
from tests.tools import postgres_programs

PASSWORD: Final = "T0P-S3CRET of the hub's {}%"
NAME: Final = "db.example.org"
ENVIRONMENT: Final = {"PGHOSTADDR": str(LOOPBACK)}
"""With this, libpq finds the name there, and asks no name server."""
NOT_ROOT: Final = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
"""PostgreSQL does not run as root. This user's files stay those of whoever runs the test."""


class Postgres:
    """A server that can be switched off and on; its data stays."""

    def __init__(self, directory: Path) -> None:
        """Make it, switched off."""
        self._directory = directory
        self._data = directory / "data"
        authority = Authority()
        certificate, key = authority.issue(NAME)
        self.authority = authority.pem
        for name, text in (("db.crt", certificate), ("db.key", key), ("password", PASSWORD)):
            (directory / name).touch(mode=0o600)
            (directory / name).write_text(text)
        with socket.socket() as probe:
            probe.bind((str(LOOPBACK), 0))
            self.port = int(probe.getsockname()[1])
        self._run("initdb", "--username=hub", "--auth=scram-sha-256", f"--pwfile={directory / 'password'}", "--no-sync")

    @property
    def url(self) -> str:
        """Return where it is, as the settings say it."""
        return f"postgresql://hub@{NAME}:{self.port}/postgres"

    def _run(self, program: str, *arguments: str) -> None:
        command = [*NOT_ROOT, *postgres_programs(program), f"--pgdata={self._data}", *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0, done.stdout

    def start(self) -> None:
        """Switch it on and wait until it answers."""
        options = {
            "listen_addresses": str(LOOPBACK),
            "port": str(self.port),
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": str(self._directory / "db.crt"),
            "ssl_key_file": str(self._directory / "db.key"),
            "fsync": "off",
        }
        settings = "".join(f"{name} = '{value}'\n" for name, value in options.items())
        (self._data / "postgresql.auto.conf").write_text(settings)
        self._run("pg_ctl", "start", "--wait", f"--log={self._directory / 'log'}")

    def make_database(self, name: str, of: str = "template1") -> None:
        """Make another database than the one in `url`, with what is in `of`, to which no one may be connected."""
        self._ask("createdb", f"--template={of}", name)

    def says(self, database: str, statement: str) -> str:
        """Run a statement in a database as its owner, and return what is answered."""
        return self._ask("psql", "--no-align", "--tuples-only", f"--command={statement}", database).strip()

    def of_database(self, name: str) -> str:
        """Return where another database is, as the settings say it."""
        return f"{self.url.removesuffix('postgres')}{name}"

    def _ask(self, program: str, *arguments: str) -> str:
        where = [f"--host={LOOPBACK}", f"--port={self.port}", "--username=hub"]
        return subprocess.run(
            [*postgres_programs(program), *where, *arguments],
            env=os.environ | {"PGPASSWORD": PASSWORD},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def stop(self) -> None:
        """Switch it off, whoever is connected."""
        self._run("pg_ctl", "stop", "--wait", "--mode=fast")

    @property
    def runs(self) -> bool:
        """Return whether it is switched on."""
        return (self._data / "postmaster.pid").exists()


@contextmanager
def postgres(directory: Path) -> Iterator[Postgres]:
    """Provide a server, switched off."""
    server = Postgres(directory)
    try:
        yield server
    finally:
        if server.runs:
            server.stop()


@contextmanager
def switched_on(directory: Path) -> Iterator[Postgres]:
    """Provide a server that runs, and what its clients read in the environment of this process."""
    with postgres(directory) as server, pytest.MonkeyPatch.context() as environment:
        for name, value in ENVIRONMENT.items():
            environment.setenv(name, value)
        server.start()
        yield server
