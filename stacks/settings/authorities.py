"""Certificates of authorities that a site's own services are known by."""

from typing import Annotated

from cryptography import x509
from cryptography.x509 import load_pem_x509_certificates
from pydantic import AfterValidator


def lacks(certificate: x509.Certificate) -> list[str]:
    """Return what an authority's certificate lacks of RFC 5280, which Python demands from 3.13 on
    (ssl.VERIFY_X509_STRICT); nothing for another certificate."""
    extensions = {type(each.value): each for each in certificate.extensions}
    constraints = extensions.get(x509.BasicConstraints)
    if constraints is None or not constraints.value.ca:
        return []
    usage = extensions.get(x509.KeyUsage)
    found = {
        "the key usage keyCertSign": usage is not None and usage.value.key_cert_sign,
        "a subject key identifier": x509.SubjectKeyIdentifier in extensions,
        "basic constraints that are critical": constraints.critical,
    }
    return [what for what, there in found.items() if not there]


def _readable(text: str) -> str:
    try:
        load_pem_x509_certificates(text.encode())
    except ValueError:
        raise ValueError(
            "must be whole certificates in PEM, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
        ) from None
    if "PRIVATE KEY" in text:
        raise ValueError("must be certificates alone: a private key belongs to whoever signs, and not here")
    return text


Certificates = Annotated[str, AfterValidator(_readable)]
"""One or more certificates, PEM."""


def _trusted(text: str) -> str:
    for certificate in load_pem_x509_certificates(text.encode()):
        try:
            missing = lacks(certificate)
        except (ValueError, x509.DuplicateExtension):
            raise ValueError("has a certificate whose extensions cannot be read") from None
        if missing:
            raise ValueError(
                f"has an authority without {' and '.join(missing)}, which Python does not trust from 3.13 on, and the "
                "hub's next image may have that: let it be made again of the same key, with "
                "`openssl req -x509 -addext keyUsage=critical,keyCertSign`; what it has signed stays good"
            )
    return text


TrustedCertificates = Annotated[Certificates, AfterValidator(_trusted)]
"""Certificates of authorities that the hub's own programs check servers by."""
