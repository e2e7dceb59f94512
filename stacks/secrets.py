"""A stack's secrets: made once, kept encrypted in the stack's state, and handed on as secret outputs only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_random as random
import pulumi_tls as tls

from stacks.settings import Site

CA_HOURS: Final = 10 * 365 * 24
"""Ten years: people trust the authority once, by hand."""
LEAF_HOURS: Final = 397 * 24
"""A year and a month: no browser accepts more from any authority (CA/Browser Forum Baseline Requirements 6.3.2)."""
RENEWAL_HOURS: Final = 45 * 24
"""An `up` this long before the end, or later, makes a new certificate."""
KEY_DIGITS: Final = 64
"""JupyterHub's cookie and crypt keys are 32 bytes, given as hexadecimal digits (jupyterhub/crypto.py)."""


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, PEM; the key is secret."""

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]


class SiteSecrets(pulumi.ComponentResource):
    """Every secret that henhouse makes itself, and the site's own certificate authority.

    Those are protected whose loss people feel: a new crypt key loses their stored logins, a new authority the trust of
    their browsers.
    """

    proxy_token: pulumi.Output[str]
    """What the hub shows to its proxy."""
    cookie_secret: pulumi.Output[str]
    """Signs the hub's cookies, 64 hexadecimal digits."""
    crypt_keys: pulumi.Output[str]
    """The keys of `hub.keys` in that order, joined by semicolons as JUPYTERHUB_CRYPT_KEY wants them."""
    metrics_token: pulumi.Output[str]
    """What Prometheus shows to the hub."""
    login: Mapping[str, pulumi.Output[str]]
    """What the ways to log in keep secret, by name: the lab's shared password, and administrators' first passwords."""
    administrators: Mapping[str, pulumi.Output[str]]
    """The first password of each administrator by name, where the hub keeps passwords."""
    ca_certificate: pulumi.Output[str]
    """The authority's certificate, PEM. Not a secret: people's browsers need it."""

    def __init__(self, name: str, site: Site, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("henhouse:stack:SiteSecrets", name, None, opts)
        self._name = name
        kept = pulumi.ResourceOptions(parent=self, protect=True)

        self.proxy_token = _hexadecimal(f"{name}-proxy-token", kept)
        self.cookie_secret = _hexadecimal(f"{name}-cookie-secret", kept)
        self.metrics_token = _hexadecimal(f"{name}-metrics-token", kept)
        # The newest alone is protected: the older ones go when the settings no longer name them.
        free = pulumi.ResourceOptions(parent=self)
        newest = site.hub.keys[0]
        keys = [_hexadecimal(f"{name}-crypt-key-{key}", kept if key == newest else free) for key in site.hub.keys]
        self.crypt_keys = pulumi.Output.all(*keys).apply(";".join)
        shared = _password(f"{name}-shared-password", kept)
        self.administrators = {
            each: _password(f"{name}-password-of-{each}", free)
            for each in sorted(site.hub.administrators)
            if "administrators" in site.hub.login.secrets
        }
        passwords = pulumi.Output.from_input(dict(self.administrators))
        self.login = {
            "shared-password": shared,
            **{name: pulumi.Output.secret(value) for name, value in site.hub.login.given.items()},
            "administrators": pulumi.Output.secret(passwords.apply(lambda known: json.dumps(known, sort_keys=True))),
        }

        self._ca_key = tls.PrivateKey(f"{name}-ca-key", algorithm="ECDSA", ecdsa_curve="P256", opts=kept)
        self._ca = tls.SelfSignedCert(
            f"{name}-ca",
            private_key_pem=self._ca_key.private_key_pem,
            is_ca_certificate=True,
            subject=tls.SelfSignedCertSubjectArgs(common_name=f"{site.domain} henhouse authority"),
            validity_period_hours=CA_HOURS,
            early_renewal_hours=RENEWAL_HOURS,
            allowed_uses=["cert_signing", "crl_signing"],
            set_subject_key_id=True,
            opts=kept,
        )
        self.ca_certificate = self._ca.cert_pem
        self.register_outputs({"caCertificate": self.ca_certificate})

    def issue(
        self,
        name: str,
        common_name: str,
        *,
        dns_names: Sequence[str] = (),
        ip_addresses: Sequence[str] = (),
        client: bool = False,
    ) -> Issued:
        """Return a certificate that the site's authority signs: for a server of these names, or for a client."""
        children = pulumi.ResourceOptions(parent=self)
        key = tls.PrivateKey(f"{self._name}-{name}-key", algorithm="ECDSA", ecdsa_curve="P256", opts=children)
        request = tls.CertRequest(
            f"{self._name}-{name}-request",
            private_key_pem=key.private_key_pem,
            subject=tls.CertRequestSubjectArgs(common_name=common_name),
            dns_names=list(dns_names) or None,
            ip_addresses=list(ip_addresses) or None,
            opts=children,
        )
        certificate = tls.LocallySignedCert(
            f"{self._name}-{name}",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=self._ca_key.private_key_pem,
            ca_cert_pem=self._ca.cert_pem,
            validity_period_hours=LEAF_HOURS,
            early_renewal_hours=RENEWAL_HOURS,
            allowed_uses=["digital_signature", "client_auth" if client else "server_auth"],
            opts=children,
        )
        return Issued(certificate.cert_pem, key.private_key_pem)


def _password(name: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make a password that a person types once: 20 letters and digits, 119 bits."""
    return random.RandomPassword(name, length=20, special=False, opts=opts).result


def _hexadecimal(name: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make a secret number. Not a `RandomBytes`: that one's value is also its id, which no state encrypts."""
    digits = random.RandomPassword(
        name, length=KEY_DIGITS, lower=False, upper=False, special=True, override_special="abcdef", opts=opts
    )
    return digits.result
