"""Addresses of the web."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, HttpUrl, Secret, WithJsonSchema

HTTPS: Final = 443
"""The port where a URL with https names none."""


def _as_written(url: Any) -> Any:
    """Refuse what a URL would be made of by guessing: `https:1` is not https://0.0.0.1/."""
    if isinstance(url, str) and not re.fullmatch(r"https?://[A-Za-z0-9_\[][!-\"$-~]*", url, re.IGNORECASE):
        raise ValueError("must begin with https:// or http://, and be in ASCII without blanks and without #")
    return url


WebUrl = Annotated[HttpUrl, BeforeValidator(_as_written, json_schema_input_type=HttpUrl)]


def _without_credentials(url: HttpUrl) -> HttpUrl:
    if url.username or url.password or url.query:
        raise ValueError(
            "must not hold a user name, a password or a query: it is kept in plain in the state and on the machines"
        )
    return url


PublicUrl = Annotated[WebUrl, AfterValidator(_without_credentials)]
"""An address that everyone may read; no credential is in it."""

SecretUrl = Annotated[Secret[WebUrl], WithJsonSchema({"type": "string", "format": "password", "writeOnly": True})]
"""An address that is itself a credential, as the hooks of chat services are."""
