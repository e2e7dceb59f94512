"""Where the hub keeps its accounts, sessions and running servers. Names and types are those of Zero to JupyterHub."""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, TypeAdapter, ValidationError, model_validator

from stacks.settings.authorities import Certificates
from stacks.settings.types import DomainName, Model

EXAMPLE: Final = "postgresql://hub@db.example.org:5432/hub"
SCHEMES: Final = ("postgresql", "postgresql+psycopg2")
PORT: Final = 5432
LONGEST_NAME: Final = 63
"""Bytes of a name in PostgreSQL (NAMEDATALEN - 1)."""
NO_ROLES: Final = ("none", "public")
CONNECT_SECONDS: Final = 10
"""A server that is switched off does not answer at all."""
PASSWORD: Final = "database-password"
AUTHORITY: Final = "database-ca.crt"
"""Keys of the hub's Secret."""
MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""libpq's `sslmode` (https://www.postgresql.org/docs/current/libpq-ssl.html)."""


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"must be an address, as in {EXAMPLE}") from None
    try:
        found = parts.port
    except ValueError:
        raise ValueError(f"must have a port between 1 and 65535, as in {EXAMPLE}") from None
    if found == 0:
        raise ValueError(f"must have a port between 1 and 65535, as in {EXAMPLE}")
    return parts


def _check_user(user: str) -> None:
    """Refuse a name that PostgreSQL keeps for itself, and text that libpq and SQLAlchemy would not read as the same."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", user):
        raise ValueError("must have two hexadecimal digits behind each % of the user, such as %40 for @")
    try:
        name = unquote(user, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("must name a user in UTF-8, where it has % and digits") from None
    if not name.isprintable() or len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"must name a user of at most {LONGEST_NAME} bytes that can be printed, as in {EXAMPLE}")
    if name in NO_ROLES or name.startswith("pg_"):
        raise ValueError(f"must not name the user {name}: PostgreSQL keeps public, none and pg_… for itself")


def _check_name(database: str) -> None:
    """Refuse a database that two of its readers would call by two names, or that PostgreSQL lets no one use."""
    if "%" in database or "@" in database:
        raise ValueError(
            "must name a database without % and @, which psycopg2 and SQLAlchemy read in two ways: rename the "
            f"database, as in {EXAMPLE}"
        )
    if len(database.encode()) > LONGEST_NAME:
        raise ValueError(f"must name a database of at most {LONGEST_NAME} bytes: PostgreSQL cuts off the rest")
    if database == "template0":
        raise ValueError("must not name template0, to which PostgreSQL lets no one: make a database for the hub alone")


def _check_host(host: str) -> None:
    try:
        address = IPv4Address(host)
    except AddressValueError:
        try:
            TypeAdapter(DomainName).validate_python(host)
        except ValidationError:
            raise ValueError(
                f"must name one machine by its full name or its IPv4 address, as in {EXAMPLE}: the hub's pod knows no "
                "other names, and a socket or localhost would be in the pod itself"
            ) from None
        return
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        raise ValueError(f"must name another machine than the pod itself, as in {EXAMPLE}")


def _check_url(url: str) -> str:
    if any(each.isspace() or not each.isprintable() for each in url):
        raise ValueError(f"must not hold spaces, as in {EXAMPLE}")
    parts = _split(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"must begin with postgresql://, as in {EXAMPLE}: there is a driver for PostgreSQL alone")
    if parts.password is not None:
        raise ValueError(
            "must not hold a password, which would be in plain in the state and in the hub's configuration: "
            "`pulumi config set --secret --path 'henhouse:hub.db.password'`"
        )
    if not parts.username:
        raise ValueError(f"must name who the hub logs in as, as in {EXAMPLE}")
    _check_user(parts.username)
    _check_host(parts.hostname or "")
    if not parts.path.strip("/") or "/" in parts.path[1:] or parts.fragment:
        raise ValueError(f"must end in the name of one database, as in {EXAMPLE}")
    _check_name(parts.path[1:])
    query = parse_qsl(parts.query, keep_blank_values=True)
    if any(name != "sslmode" or value not in MODES for name, value in query) or len(query) > 1:
        raise ValueError(f"must have no query but ?sslmode=, one of {', '.join(MODES)}")
    return url


def _check_password(password: SecretStr) -> SecretStr:
    if "\0" in password.get_secret_value():
        raise ValueError("must not hold a null byte, which PostgreSQL does not accept")
    return password


class DatabaseSettings(Model):
    """What every database answers."""

    remote: ClassVar[bool]
    """Whether it is another machine's, which may be away when the hub starts."""

    @abstractmethod
    def address(self, directory: str, secrets: str) -> str:
        """Return where JupyterHub finds it, for SQLAlchemy; nothing in it is secret.

        `directory` is the hub's own, `secrets` the one of its Secret.
        """

    @property
    def upgrades(self) -> bool:
        """Whether JupyterHub brings the tables to its own version."""
        return True

    @property
    def given(self) -> Mapping[str, str]:
        """What the hub's Secret holds for it, by key."""
        return {}

    @property
    def reached(self) -> Sequence[IPv4Network]:
        """The networks in which it answers; none, where it is in the pod itself."""
        return ()

    @property
    def port(self) -> int:
        """The port on which it answers there."""
        return 0


class SqliteSettings(DatabaseSettings):
    """A file on a disk of one worker, `hub.database_host`. JupyterHub migrates it, and keeps a copy first."""

    type: Literal["sqlite-pvc"] = "sqlite-pvc"
    """Selects SQLite."""

    remote: ClassVar[bool] = False

    def address(self, directory: str, secrets: str) -> str:
        return f"sqlite:///{directory}/jupyterhub.sqlite"


class PostgresSettings(DatabaseSettings):
    """A database of a PostgreSQL server of the site's, which must exist; the hub makes and owns its tables."""

    type: Literal["postgres"]
    """Selects PostgreSQL."""
    url: Annotated[str, AfterValidator(_check_url)]
    """Where it is, without the password: `postgresql://hub@db.example.org:5432/hub`. Connections are encrypted unless
    it ends in `?sslmode=` with another of libpq's modes."""
    password: Annotated[SecretStr, Field(min_length=1), AfterValidator(_check_password)]
    """The password: `pulumi config set --secret --path 'henhouse:hub.db.password'`."""
    networks: tuple[IPv4Network, ...] = ()
    """Where the server answers, as `192.0.2.10/32`: a network policy knows addresses, no names. If omitted, the
    address in `url`."""
    certificate_authority: Certificates | None = None
    """The authority that signed the server's certificate, PEM. If omitted, connections are encrypted, and the
    server's identity is not verified."""
    upgrade: bool = False
    """Whether a newer JupyterHub may change the tables when it starts. Back the database up first: unlike SQLite's
    file, JupyterHub makes no copy of it. If false, the hub says that it is needed, and does not start."""

    remote: ClassVar[bool] = True

    def address(self, directory: str, secrets: str) -> str:
        parts = _split(self.url)
        query = {"sslmode": self.sslmode, "connect_timeout": str(CONNECT_SECONDS)}
        if self.certificate_authority is not None:
            query["sslrootcert"] = f"{secrets}/{AUTHORITY}"
        # With the driver's name: SQLAlchemy 2.1 takes another one than 2.0 where none is named.
        where = f"{parts.username}@{parts.hostname}:{self.port}{parts.path}"
        return f"postgresql+psycopg2://{where}?{urlencode(query, safe='/')}"

    @property
    def upgrades(self) -> bool:
        return self.upgrade

    @property
    def given(self) -> Mapping[str, str]:
        authority = {AUTHORITY: self.certificate_authority} if self.certificate_authority else {}
        return {PASSWORD: self.password.get_secret_value(), **authority}

    @property
    def port(self) -> int:
        return _split(self.url).port or PORT

    @property
    def reached(self) -> Sequence[IPv4Network]:
        return self.networks or (IPv4Network(str(_split(self.url).hostname)),)

    @property
    def sslmode(self) -> str:
        """The given `sslmode`, or the strictest that what is given allows."""
        given = dict(parse_qsl(_split(self.url).query)).get("sslmode")
        return given or ("verify-full" if self.certificate_authority else "require")

    @model_validator(mode="after")
    def _is_found(self) -> Self:
        host = str(_split(self.url).hostname)
        try:
            address = IPv4Address(host)
        except AddressValueError:
            if not self.networks:
                raise ValueError(
                    f"networks is missing: say where {host} answers, such as [192.0.2.10/32], because a network policy "
                    "knows no names"
                ) from None
            return self
        if not any(address in network for network in self.reached):
            raise ValueError(f"networks does not hold {address}, which url names")
        return self

    @model_validator(mode="after")
    def _can_check(self) -> Self:
        checks = self.sslmode.startswith("verify")
        if checks and self.certificate_authority is None:
            raise ValueError(f"certificate_authority is missing, which sslmode={self.sslmode} checks with")
        if not checks and self.certificate_authority is not None:
            raise ValueError(f"certificate_authority is not used with sslmode={self.sslmode}: leave one of them away")
        return self


def _named(value: Any) -> Any:
    """Take the name of a type for all its defaults."""
    return {"type": value} if isinstance(value, str) else value


AnyDatabase = Annotated[
    SqliteSettings | PostgresSettings,
    Field(discriminator="type"),
    BeforeValidator(_named, json_schema_input_type=Literal["sqlite-pvc"] | SqliteSettings | PostgresSettings),
]
"""One of the databases."""
