"""`tls:index:PrivateKey`, and reading the keys that other resources are given."""

import base64
import hashlib
from typing import Any, ClassVar, Final

from engine.standins.resources import Call, Invalid
from engine.standins.tls.replaced import Replaced
from engine.standins.values import Props

_ALGORITHMS: Final = ("RSA", "ECDSA", "ED25519")


def load_key(pem: str) -> Any:
    """Return the private key in PEM or OpenSSH text."""
    from cryptography.hazmat.primitives import serialization

    if "BEGIN OPENSSH" in pem:
        return serialization.load_ssh_private_key(pem.encode(), None)
    return serialization.load_pem_private_key(pem.encode(), None)


def algorithm(key: Any) -> str:
    """Return the provider's name for the kind of a key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    kinds = {rsa.RSAPrivateKey: "RSA", ec.EllipticCurvePrivateKey: "ECDSA", ed25519.Ed25519PrivateKey: "ED25519"}
    return next(name for kind, name in kinds.items() if isinstance(key, kind))


def _generate(news: Props) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    curves: dict[str, Any] = {"P224": ec.SECP224R1, "P256": ec.SECP256R1, "P384": ec.SECP384R1, "P521": ec.SECP521R1}
    match news["algorithm"]:
        case "RSA":
            return rsa.generate_private_key(65537, news["rsaBits"])
        case "ECDSA":
            if news["ecdsaCurve"] not in curves:
                raise ValueError(f"ecdsa_curve {news['ecdsaCurve']!r} is not one of {', '.join(curves)}")
            return ec.generate_private_key(curves[news["ecdsaCurve"]]())
    return ed25519.Ed25519PrivateKey.generate()


def public_texts(key: Any) -> Props:
    """Return the public half in each form; those of SSH are empty for a curve that SSH does not know (P-224)."""
    from cryptography.hazmat.primitives import serialization as forms

    public = key.public_key()
    pem = public.public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo).decode()
    try:
        line = public.public_bytes(forms.Encoding.OpenSSH, forms.PublicFormat.OpenSSH).decode()
    except ValueError:
        nothing = ("publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256")
        return {"publicKeyPem": pem, **dict.fromkeys(nothing, "")}
    blob = base64.b64decode(line.split()[1])
    sha256 = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return {
        "publicKeyPem": pem,
        "publicKeyOpenssh": line + "\n",
        "publicKeyFingerprintMd5": hashlib.md5(blob, usedforsecurity=False).digest().hex(":"),
        "publicKeyFingerprintSha256": f"SHA256:{sha256}",
    }


class PrivateKey(Replaced):
    """A private key in every form."""

    defaults: ClassVar = {"rsaBits": 2048, "ecdsaCurve": "P224"}
    outputs: ClassVar = (
        "privateKeyOpenssh",
        "privateKeyPem",
        "privateKeyPemPkcs8",
        "publicKeyFingerprintMd5",
        "publicKeyFingerprintSha256",
        "publicKeyOpenssh",
        "publicKeyPem",
    )
    hidden = frozenset(("privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"))

    async def check(self, call: Call, olds: Props, news: Props) -> Props:
        given = news.get("algorithm")
        if isinstance(given, str) and given not in _ALGORITHMS:
            raise Invalid(("algorithm", f"{given!r} is not one of {', '.join(_ALGORITHMS)}"))
        return await super().check(call, olds, news)

    def make(self, news: Props) -> tuple[str, Props]:
        from cryptography.hazmat.primitives import serialization as forms

        key = _generate(news)
        public = public_texts(key)

        def private(layout: forms.PrivateFormat) -> str:
            return str(key.private_bytes(forms.Encoding.PEM, layout, forms.NoEncryption()).decode())

        layouts = forms.PrivateFormat
        traditional = layouts.PKCS8 if news["algorithm"] == "ED25519" else layouts.TraditionalOpenSSL
        made = {
            **public,
            "privateKeyPem": private(traditional),
            "privateKeyPemPkcs8": private(layouts.PKCS8),
            "privateKeyOpenssh": private(layouts.OpenSSH) if public["publicKeyOpenssh"] else "",
        }
        der = key.public_key().public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha1(der, usedforsecurity=False).hexdigest(), made


async def public_key(call: Call, arguments: Props) -> Props:
    """Return the public half of a given private key: the function `getPublicKey`."""
    key = load_key(arguments.get("privateKeyPem") or arguments["privateKeyOpenssh"])
    return {**arguments, **public_texts(key), "id": "public-key", "algorithm": algorithm(key)}
