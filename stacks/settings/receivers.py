"""Receivers of alerts. Each way to deliver them is a type."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from stacks.settings.types import DomainName, Model, spelled
from stacks.settings.urls import SecretUrl

Severity = Literal["critical", "warning"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning")

MailAddress = Annotated[
    str, spelled(r"^[^@\s<>,;:\"]{1,64}@[A-Za-z0-9.-]{1,255}$", "one mail address alone, such as ops@example.org")
]
"""An address without a name (addr-spec of RFC 5322)."""


def _check_port(smarthost: str) -> str:
    if not 1 <= int(smarthost.rpartition(":")[2]) <= 65535:
        raise ValueError("must have a port from 1 to 65535, such as mail.example.org:587")
    return smarthost


Smarthost = Annotated[
    str,
    spelled(r"^[A-Za-z0-9.-]+:[0-9]{1,5}$", "a mail server with its port, such as mail.example.org:587"),
    AfterValidator(_check_port),
]
"""host:port of a mail server."""


class ReceiverSettings(Model):
    """What every receiver has."""

    severities: tuple[Severity, ...] = Field(default=SEVERITIES, min_length=1)
    """The alerts that it gets: critical ones need a person now, warnings a person this week."""


class MailReceiverSettings(ReceiverSettings):
    """Mail by SMTP."""

    type: Literal["mail"] = "mail"
    """Selects mail."""
    to: tuple[MailAddress, ...] = Field(min_length=1)
    """Who gets the mail."""
    sender: MailAddress
    """The address that the mail comes from."""
    smarthost: Smarthost
    """The mail server that takes it, host:port; port 465 speaks TLS from the first byte, 587 and 25 turn to it."""
    hello: DomainName | None = None
    """What the machine calls itself to the mail server. If omitted, the gateway's name in the site's domain."""
    user: str | None = None
    """The name by which the mail server knows us. If omitted, it takes mail from the gateway without."""
    password: SecretStr | None = None
    """The password that goes with it. A secret."""
    tls: Literal["required", "off"] = "required"
    """Whether mail is only handed over inside TLS. `off` is for a mail server on the machines' own network, and never
    with a password."""

    @model_validator(mode="after")
    def _password_is_safe(self) -> "MailReceiverSettings":
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together: give both or neither")
        if self.password is not None and self.tls == "off":
            raise ValueError("a password is not sent without TLS: leave tls out, or user and password")
        return self


class SlackReceiverSettings(ReceiverSettings):
    """A channel of Slack, or of a chat service with the same hooks."""

    type: Literal["slack"] = "slack"
    """Selects Slack."""
    url: SecretUrl
    """The incoming webhook. A secret, because whoever knows it can post there."""
    channel: str | None = None
    """Channel or person, for example #operations. If omitted, the one that the hook was made for."""


class WebhookReceiverSettings(ReceiverSettings):
    """Anything that takes Alertmanager's own JSON by POST."""

    type: Literal["webhook"] = "webhook"
    """Selects a webhook."""
    url: SecretUrl
    """Where alerts are posted. A secret, because such addresses often are credentials."""


AnyReceiver = Annotated[
    MailReceiverSettings | SlackReceiverSettings | WebhookReceiverSettings, Field(discriminator="type")
]
"""One of the types of receiver."""
