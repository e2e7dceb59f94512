"""A certificate authority that a stack makes for itself, and what it signs. The keys are in the stack's state alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import pulumi
import pulumi_tls as tls

CA_HOURS: Final = 10 * 365 * 24
"""Ten years: a new authority has to be told to everything, and everybody, that trusts the old one."""
LEAF_HOURS: Final = 397 * 24
"""A year and a month: no browser accepts more from any authority (CA/Browser Forum Baseline Requirements 6.3.2)."""
RENEWAL_HOURS: Final = 45 * 24
"""An `up` this long before the end, or later, makes a new certificate."""

Use = Literal["server_auth", "client_auth"]
"""An extended key usage (RFC 5280, 4.2.1.12), in Terraform's spelling."""


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, PEM; the key is secret."""

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]


@dataclass(frozen=True)
class Authority:
    """A certificate authority."""

    certificate: pulumi.Output[str]
    """PEM. Not a secret."""
    private_key: pulumi.Output[str]
    """PEM, secret."""

    @classmethod
    def make(cls, name: str, common_name: str, opts: pulumi.ResourceOptions) -> Self:
        """Make an authority: the resources ``<name>-key`` and ``<name>``, both with the options `opts`."""
        key = _key(f"{name}-key", opts)
        certificate = tls.SelfSignedCert(
            name,
            private_key_pem=key.private_key_pem,
            is_ca_certificate=True,
            subject=tls.SelfSignedCertSubjectArgs(common_name=common_name),
            validity_period_hours=CA_HOURS,
            early_renewal_hours=RENEWAL_HOURS,
            allowed_uses=["cert_signing", "crl_signing"],
            set_subject_key_id=True,
            opts=opts,
        )
        return cls(certificate.cert_pem, key.private_key_pem)

    def issue(
        self,
        name: str,
        common_name: str,
        opts: pulumi.ResourceOptions,
        *,
        dns_names: Sequence[str] = (),
        ip_addresses: Sequence[pulumi.Input[str]] = (),
        uses: Sequence[Use] = ("server_auth",),
    ) -> Issued:
        """Sign a certificate for these names and uses: the resources ``<name>-key``, ``<name>-request``, ``<name>``."""
        key = _key(f"{name}-key", opts)
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            subject=tls.CertRequestSubjectArgs(common_name=common_name),
            dns_names=list(dns_names) or None,
            ip_addresses=list(ip_addresses) or None,
            opts=opts,
        )
        certificate = tls.LocallySignedCert(
            name,
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=self.private_key,
            ca_cert_pem=self.certificate,
            validity_period_hours=LEAF_HOURS,
            early_renewal_hours=RENEWAL_HOURS,
            allowed_uses=["digital_signature", *uses],
            opts=opts,
        )
        return Issued(certificate.cert_pem, key.private_key_pem)


def _key(name: str, opts: pulumi.ResourceOptions) -> tls.PrivateKey:
    return tls.PrivateKey(name, algorithm="ECDSA", ecdsa_curve="P256", opts=opts)
