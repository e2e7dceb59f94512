"""Checks of what the public names show."""

from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.x509 import load_pem_x509_certificates

from stacks.checks.check import Check
from stacks.problems import Problem
from stacks.settings import Site
from stacks.settings.certificate import SuppliedCertificateSettings


def certificate_is_for_the_hub(site: Site) -> Iterator[Problem]:
    """Refuse a certificate with which no browser would show the hub."""
    supplied = site.edge.certificate
    if not isinstance(supplied, SuppliedCertificateSettings):
        return
    leaf, *_ = load_pem_x509_certificates(supplied.certificate.encode())
    names = _names(leaf)
    host = site.hub.host
    if not {host, f"*.{host.partition('.')[2]}"}.intersection(names):
        yield Problem(
            "edge.certificate.certificate",
            f"its first certificate is for {', '.join(names) or 'no name'}, and browsers ask for hub.host, {host}",
            accepted="the chain of the hub's own certificate, which comes first",
        )


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return []  # browsers do not look at the subject (RFC 9525), nor at what cannot be read
    return [name.lower() for name in found.value.get_values_for_type(x509.DNSName)]


CHECKS: Final[tuple[Check, ...]] = (certificate_is_for_the_hub,)
