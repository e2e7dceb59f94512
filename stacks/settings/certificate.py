"""The certificate of the public names."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr

from stacks.settings.authorities import Certificates
from stacks.settings.types import Model


class AuthorityCertificateSettings(Model):
    """The stack's own certificate authority signs the certificate and renews it. Browsers must be told to trust it."""

    type: Literal["authority"] = "authority"
    """Selects where the certificate comes from."""


class SuppliedCertificateSettings(Model):
    """A certificate of the site's own."""

    type: Literal["supplied"] = "supplied"
    """Selects where the certificate comes from. May be omitted when the other two are given."""
    certificate: Certificates
    """The chain, PEM, leaf first."""
    private_key: Annotated[SecretStr, Field(min_length=1)]
    """Its key, PEM."""


def _named(value: Any) -> Any:
    """Take a word for the type, nothing for the authority, and a certificate without a type for a supplied one."""
    if value is None:
        return {"type": "authority"}
    if isinstance(value, str):
        return {"type": value}
    return {"type": "supplied", **value} if isinstance(value, dict) else value


AnyCertificate = Annotated[
    AuthorityCertificateSettings | SuppliedCertificateSettings,
    Field(discriminator="type"),
    BeforeValidator(
        _named,
        json_schema_input_type=None | Literal["authority"] | AuthorityCertificateSettings | SuppliedCertificateSettings,
    ),
]
"""Where the certificate comes from."""
