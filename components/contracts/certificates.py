"""A server's certificate, handed on by whoever has it."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class ServerCertificate:
    """A certificate with its key, and who signed it."""

    chain: pulumi.Input[str]
    """PEM, leaf first."""
    private_key: pulumi.Input[str]
    """PEM, secret."""
    authority: pulumi.Output[str] | None
    """PEM of the stack's own authority; None when every machine trusts the signer already."""
