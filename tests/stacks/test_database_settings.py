"""Which databases of the hub are accepted, what is said of the others, and what is nowhere repeated."""

from typing import Any, Final

import pytest

from stacks.load import parse_settings
from stacks.problems import SettingsError
from stacks.settings import HubSettings
from tests.certificates import Authority
from tests.stacks.sites import changed, tree

URL: Final = "postgresql://hub@db.example.org:5432/hub"
HERE: Final = {"type": "postgres", "url": "postgresql://hub@192.0.2.10/hub", "password": "T0P-S3CRET"}
NAMED: Final = {**HERE, "url": URL, "networks": ["192.0.2.10/32"]}


def hub(database: object) -> HubSettings:
    return parse_settings(changed(tree("dev"), {"hub": {"db": database}})).hub


def refusal(database: object) -> str:
    with pytest.raises(SettingsError) as refused:
        hub(database)
    return str(refused.value)


@pytest.mark.parametrize(
    ("database", "address"),
    [
        ({}, "sqlite:////srv/jupyterhub/jupyterhub.sqlite"),
        ("sqlite-pvc", "sqlite:////srv/jupyterhub/jupyterhub.sqlite"),
        (HERE, "postgresql+psycopg2://hub@192.0.2.10:5432/hub?sslmode=require&connect_timeout=10"),
        (NAMED, "postgresql+psycopg2://hub@db.example.org:5432/hub?sslmode=require&connect_timeout=10"),
        (
            {**HERE, "url": "postgresql+psycopg2://h%40b@192.0.2.10:6000/hub-1?sslmode=disable"},
            "postgresql+psycopg2://h%40b@192.0.2.10:6000/hub-1?sslmode=disable&connect_timeout=10",
        ),
        *(
            (
                {**HERE, "url": f"postgresql://{user}@192.0.2.10/{name}"},
                f"postgresql+psycopg2://{user}@192.0.2.10:5432/{name}?sslmode=require&connect_timeout=10",
            )
            for user, name in (("h" * 63, "d" * 63), ("h%C3%BCb.$-1", "hüb_1.$-+=x"), ("Hub", "Hub"))
        ),
        (
            {**NAMED, "certificate_authority": Authority().pem},
            "postgresql+psycopg2://hub@db.example.org:5432/hub?sslmode=verify-full&connect_timeout=10"
            "&sslrootcert=/secrets/database-ca.crt",
        ),
        (
            {**NAMED, "url": f"{URL}?sslmode=verify-ca", "certificate_authority": Authority().pem},
            "postgresql+psycopg2://hub@db.example.org:5432/hub?sslmode=verify-ca&connect_timeout=10"
            "&sslrootcert=/secrets/database-ca.crt",
        ),
    ],
)
def test_database_is_found(database: object, address: str) -> None:
    one = changed(tree("dev"), {"hub": {"db": database}}) if database else tree("dev")
    assert parse_settings(one).hub.db.address("/srv/jupyterhub", "/secrets") == address


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": "mysql"}, "accepted: sqlite-pvc, postgres"),
        ({"type": None}, "hub.db.type: is required and not given"),
        ({"password": None}, "hub.db.password: is required and not given"),
        ({"password": ""}, "at least 1 character"),
        ({"password": "a\0b"}, "must not hold a null byte"),
        ({"url": "postgres://hub@192.0.2.10/hub"}, "must begin with postgresql://"),
        ({"url": "mysql+pymysql://hub@192.0.2.10/hub"}, "there is a driver for PostgreSQL alone"),
        ({"url": "postgresql+asyncpg://hub@192.0.2.10/hub"}, "must begin with postgresql://"),
        ({"url": "sqlite:////srv/jupyterhub.sqlite"}, "must begin with postgresql://"),
        ({"url": "hub@192.0.2.10/hub"}, "must begin with postgresql://"),
        ({"url": "postgresql://hub:T0P-S3CRET@192.0.2.10/hub"}, "must not hold a password"),
        ({"url": "postgresql://hub:@192.0.2.10/hub"}, "must not hold a password"),
        ({"url": "postgresql://hub@192.0.2.10/hub?password=T0P-S3CRET"}, "must have no query but ?sslmode="),
        ({"url": "postgresql://hub@192.0.2.10/hub?sslmode=strict"}, "must have no query but ?sslmode="),
        ({"url": "postgresql://hub@192.0.2.10/hub?sslmode=require&sslmode=disable"}, "must have no query but"),
        ({"url": "postgresql://192.0.2.10/hub"}, "must name who the hub logs in as"),
        ({"url": "postgresql://hub@/hub"}, "must name one machine"),
        ({"url": "postgresql://hub@localhost/hub"}, "must name one machine"),
        ({"url": "postgresql://hub@127.0.0.1/hub"}, "must name another machine than the pod"),
        ({"url": "postgresql://hub@0.0.0.0/hub"}, "must name another machine than the pod"),
        ({"url": "postgresql://hub@[2001:db8::1]/hub"}, "must name one machine"),
        ({"url": "postgresql://hub@[2001:db8::1/hub"}, "must be an address, as in"),
        ({"url": "postgresql://hub@192.0.2.10,192.0.2.11/hub"}, "must name one machine"),
        ({"url": "postgresql://hub@192.0.2.10:5432,192.0.2.11:5432/hub"}, "must have a port"),
        ({"url": "postgresql://hub@192.0.2.10:0/hub"}, "must have a port"),
        ({"url": "postgresql://hub@192.0.2.10:65536/hub"}, "must have a port"),
        ({"url": "postgresql://hub@192.0.2.10:x/hub"}, "must have a port"),
        ({"url": "postgresql://hub@192.0.2.10"}, "must end in the name of one database"),
        ({"url": "postgresql://hub@192.0.2.10/"}, "must end in the name of one database"),
        ({"url": "postgresql://hub@192.0.2.10/hub/x"}, "must end in the name of one database"),
        ({"url": "postgresql://hub@192.0.2.10/hub#x"}, "must end in the name of one database"),
        ({"url": "postgresql://hub@192.0.2.10/a hub"}, "must not hold spaces"),
        ({"url": "postgresql://hub@192.0.2.10/hub\n"}, "must not hold spaces"),
        ({"url": "postgresql://hub@192.0.2.10/my%20hub"}, "must name a database without % and @"),
        ({"url": "postgresql://hub@192.0.2.10/hub@home"}, "must name a database without % and @"),
        ({"url": f"postgresql://hub@192.0.2.10/{'h' * 64}"}, "must name a database of at most 63 bytes"),
        ({"url": f"postgresql://hub@192.0.2.10/{'é' * 32}"}, "must name a database of at most 63 bytes"),
        ({"url": "postgresql://hub@192.0.2.10/template0"}, "must not name template0"),
        ({"url": "postgresql://T0P%zz-S3CRET@192.0.2.10/hub"}, "must have two hexadecimal digits behind each %"),
        ({"url": "postgresql://h%4@192.0.2.10/hub"}, "must have two hexadecimal digits behind each %"),
        ({"url": "postgresql://h%ff@192.0.2.10/hub"}, "must name a user in UTF-8"),
        ({"url": "postgresql://h%00@192.0.2.10/hub"}, "must name a user of at most 63 bytes that can be printed"),
        ({"url": f"postgresql://{'h' * 64}@192.0.2.10/hub"}, "must name a user of at most 63 bytes"),
        ({"url": "postgresql://public@192.0.2.10/hub"}, "must not name the user public"),
        ({"url": "postgresql://pg_hub@192.0.2.10/hub"}, "must not name the user pg_hub"),
        ({"url": URL}, "say where db.example.org answers, such as [192.0.2.10/32]"),
        ({"networks": ["192.0.2.11/32"]}, "networks does not hold 192.0.2.10"),
        ({"url": "postgresql://hub@192.0.2.10/hub?sslmode=verify-full"}, "certificate_authority is missing"),
        (
            {"url": "postgresql://hub@192.0.2.10/hub?sslmode=require", "certificate_authority": Authority().pem},
            "certificate_authority is not used with sslmode=require",
        ),
        ({"certificate_authority": "certificate.pem"}, "hub.db.certificate_authority: "),
        ({"certificate_authority": "-----BEGIN CERTIFICATE-----\ngarbage"}, "must be whole certificates in PEM"),
        ({"pvc": {"storage": "1Gi"}}, "hub.db.pvc: is not a setting"),
    ],
)
def test_what_cannot_be_reached_or_kept_is_refused(changes: dict[str, Any], said: str) -> None:
    given = {key: value for key, value in {**HERE, **changes}.items() if value is not None}
    message = refusal(given)
    assert said in message
    assert "hub.db" in message
    assert "T0P-S3CRET" not in message


@pytest.mark.parametrize("word", ["T0P-S3CRET", ["T0P-S3CRET"], {"type": "T0P-S3CRET"}])
def test_nothing_that_may_be_the_password_is_repeated(word: object) -> None:
    assert "T0P-S3CRET" not in refusal(word)


def test_password_is_in_no_text() -> None:
    settings = hub(HERE)
    assert "T0P-S3CRET" not in repr(settings)
    assert settings.db.given["database-password"] == "T0P-S3CRET"
