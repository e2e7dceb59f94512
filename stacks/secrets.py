"""A stack's secrets: made once, kept encrypted in the stack's state, and handed on as secret outputs only."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_random as random

from stacks.authority import Authority, Issued, Use
from stacks.settings import Site

KEY_DIGITS: Final = 64
"""JupyterHub's cookie and crypt keys are 32 bytes, given as hexadecimal digits (jupyterhub/crypto.py)."""


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

        self._authority = Authority.make(f"{name}-ca", f"{site.domain} henhouse authority", kept)
        self.ca_certificate = self._authority.certificate
        self.register_outputs({"caCertificate": self.ca_certificate})

    def issue(
        self,
        name: str,
        common_name: str,
        *,
        dns_names: Sequence[str] = (),
        ip_addresses: Sequence[str] = (),
        uses: Sequence[Use] = ("server_auth",),
    ) -> Issued:
        """Return a certificate that the site's authority signs, for these names and uses."""
        return self._authority.issue(
            f"{self._name}-{name}",
            common_name,
            pulumi.ResourceOptions(parent=self),
            dns_names=dns_names,
            ip_addresses=ip_addresses,
            uses=uses,
        )


def _password(name: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make a password that a person types once: 20 letters and digits, 119 bits."""
    return random.RandomPassword(name, length=20, special=False, opts=opts).result


def _hexadecimal(name: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make a secret number. Not a `RandomBytes`: that one's value is also its id, which no state encrypts."""
    digits = random.RandomPassword(
        name, length=KEY_DIGITS, lower=False, upper=False, special=True, override_special="abcdef", opts=opts
    )
    return digits.result
