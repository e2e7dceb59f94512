"""Certificate requests and certificates."""

import hashlib
import ipaddress
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from engine.standins.tls.keys import algorithm, load_key
from engine.standins.tls.replaced import Replaced
from engine.standins.values import Props

_SUBJECT: Final = {
    "commonName": "COMMON_NAME",
    "country": "COUNTRY_NAME",
    "locality": "LOCALITY_NAME",
    "organization": "ORGANIZATION_NAME",
    "organizationalUnit": "ORGANIZATIONAL_UNIT_NAME",
    "postalCode": "POSTAL_CODE",
    "province": "STATE_OR_PROVINCE_NAME",
    "serialNumber": "SERIAL_NUMBER",
}
_KEY_USAGES: Final = {
    "digital_signature": "digital_signature",
    "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}
_EXTENDED_USAGES: Final = {
    "any_extended": "ANY_EXTENDED_KEY_USAGE",
    "client_auth": "CLIENT_AUTH",
    "code_signing": "CODE_SIGNING",
    "email_protection": "EMAIL_PROTECTION",
    "ocsp_signing": "OCSP_SIGNING",
    "server_auth": "SERVER_AUTH",
    "timestamping": "TIME_STAMPING",
}
_CERTIFICATE_OUTPUTS: Final = ("certPem", "readyForRenewal", "validityEndTime", "validityStartTime")


def _name(subject: Props | None) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    given = subject or {}
    parts = [(getattr(NameOID, oid), str(given[key])) for key, oid in _SUBJECT.items() if given.get(key)]
    parts += [(NameOID.STREET_ADDRESS, line) for line in given.get("streetAddresses") or []]
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def _alternative_names(news: Props) -> Any:
    from cryptography import x509

    names: list[Any] = [x509.DNSName(each) for each in news.get("dnsNames") or []]
    names += [x509.IPAddress(ipaddress.ip_address(each)) for each in news.get("ipAddresses") or []]
    names += [x509.UniformResourceIdentifier(each) for each in news.get("uris") or []]
    return x509.SubjectAlternativeName(names) if names else None


def _digest_for(key: Any) -> Any:
    from cryptography.hazmat.primitives import hashes

    return None if algorithm(key) == "ED25519" else hashes.SHA256()


def _usages(allowed: list[str]) -> list[tuple[Any, bool]]:
    """Return the extensions for `allowed_uses`, and for each whether it is critical."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    unknown = [each for each in allowed if each not in _KEY_USAGES and each not in _EXTENDED_USAGES]
    if unknown:
        accepted = ", ".join([*_KEY_USAGES, *_EXTENDED_USAGES])
        raise ValueError(f"allowed_uses has {', '.join(unknown)}; accepted are {accepted}")
    found: list[tuple[Any, bool]] = []
    if any(each in _KEY_USAGES for each in allowed):
        found.append((x509.KeyUsage(**{field: use in allowed for use, field in _KEY_USAGES.items()}), True))
    extended = [getattr(ExtendedKeyUsageOID, _EXTENDED_USAGES[each]) for each in allowed if each in _EXTENDED_USAGES]
    if extended:
        found.append((x509.ExtendedKeyUsage(extended), False))
    return found


def _signed(news: Props, subject: Any, public: Any, issuer: Any, key: Any, extensions: list[Any]) -> tuple[str, Props]:
    """Sign a certificate for the public key with the private one; return its serial number and the outputs."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    start = datetime.now(UTC).replace(microsecond=0)
    end = start + timedelta(hours=news["validityPeriodHours"])
    serial, is_ca = secrets.randbits(127) | 1, bool(news.get("isCaCertificate"))  # positive and at most 20 octets
    constraints = x509.BasicConstraints(is_ca, news.get("maxPathLength") if is_ca else None)
    builder = x509.CertificateBuilder(issuer, subject, public, serial, start, end)
    wanted = [(constraints, True), *_usages(news["allowedUses"])]
    if is_ca or news.get("setSubjectKeyId"):
        wanted.append((x509.SubjectKeyIdentifier.from_public_key(public), False))
    for extension, critical in [*wanted, *((each, False) for each in extensions if each is not None)]:
        builder = builder.add_extension(extension, critical)
    return str(serial), {
        "certPem": builder.sign(key, _digest_for(key)).public_bytes(Encoding.PEM).decode(),
        "validityStartTime": start.isoformat().replace("+00:00", "Z"),
        "validityEndTime": end.isoformat().replace("+00:00", "Z"),
        "readyForRenewal": False,
    }


class _Certificate(Replaced):
    """Made again when its early renewal has come."""

    def renewal_due(self, state: Props, news: Props) -> bool:
        end = state.get("validityEndTime")
        if not isinstance(end, str):
            return False
        early = timedelta(hours=news.get("earlyRenewalHours") or 0)
        return datetime.now(UTC) >= datetime.fromisoformat(end) - early


class SelfSignedCert(_Certificate):
    """A certificate that its own key signs."""

    defaults: ClassVar = {
        **dict.fromkeys(("isCaCertificate", "setSubjectKeyId", "setAuthorityKeyId"), False),
        "earlyRenewalHours": 0,
    }
    outputs: ClassVar = (*_CERTIFICATE_OUTPUTS, "keyAlgorithm")
    hidden = frozenset(("privateKeyPem",))

    def make(self, news: Props) -> tuple[str, Props]:
        from cryptography import x509

        key = load_key(news["privateKeyPem"])
        name, public = _name(news.get("subject")), key.public_key()
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(public) if news["setAuthorityKeyId"] else None
        serial, made = _signed(news, name, public, name, key, [issuer_id, _alternative_names(news)])
        return serial, {**made, "keyAlgorithm": algorithm(key)}


class CertRequest(Replaced):
    """A request that a certificate authority can sign."""

    outputs: ClassVar = ("certRequestPem", "keyAlgorithm")
    hidden = frozenset(("privateKeyPem",))

    def make(self, news: Props) -> tuple[str, Props]:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        key = load_key(news["privateKeyPem"])
        builder = x509.CertificateSigningRequestBuilder(_name(news.get("subject")))
        names = _alternative_names(news)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        pem = builder.sign(key, _digest_for(key)).public_bytes(Encoding.PEM).decode()
        id = hashlib.sha1(pem.encode(), usedforsecurity=False).hexdigest()
        return id, {"certRequestPem": pem, "keyAlgorithm": algorithm(key)}


class LocallySignedCert(_Certificate):
    """A certificate for a request, signed by an authority whose key is at hand."""

    defaults: ClassVar = {**dict.fromkeys(("isCaCertificate", "setSubjectKeyId"), False), "earlyRenewalHours": 0}
    outputs: ClassVar = (*_CERTIFICATE_OUTPUTS, "caKeyAlgorithm")
    hidden = frozenset(("caPrivateKeyPem",))

    def make(self, news: Props) -> tuple[str, Props]:
        from cryptography import x509

        request = x509.load_pem_x509_csr(news["certRequestPem"].encode())
        authority = x509.load_pem_x509_certificate(news["caCertPem"].encode())
        key = load_key(news["caPrivateKeyPem"])
        names = _extension(request, x509.SubjectAlternativeName)
        issuer_id = _extension(authority, x509.SubjectKeyIdentifier)
        if issuer_id is not None:
            issuer_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id)
        serial, made = _signed(news, request.subject, request.public_key(), authority.subject, key, [issuer_id, names])
        return serial, {**made, "caKeyAlgorithm": algorithm(key)}


def _extension(of: Any, kind: Any) -> Any:
    from cryptography import x509

    try:
        return of.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
