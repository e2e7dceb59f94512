"""The administrator's kubeconfig, as kubeadm writes it and as the program needs it."""

import base64
import hashlib
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def decoded(text: str) -> str:
    """Return the text that `text` encodes as base64."""
    return base64.b64decode(text).decode()


def reachable(admin_conf: str, server: str, proxy_url: str | None = None) -> str:
    """kubeadm's admin.conf with `server`, a URL, in place of the cluster's name, which only the machines resolve.

    With `proxy_url`, clients go through that proxy (client-go's `proxy-url`).
    """
    config = yaml.safe_load(admin_conf)
    way = {"server": server, **({"proxy-url": proxy_url} if proxy_url else {})}
    config["clusters"] = [{**each, "cluster": {**each["cluster"], **way}} for each in config["clusters"]]
    return yaml.safe_dump(config, sort_keys=False)


def ca_certificate(admin_conf: str) -> str:
    """PEM of the authority that signed the API server's certificate."""
    cluster: dict[str, Any] = yaml.safe_load(admin_conf)["clusters"][0]["cluster"]
    return decoded(cluster["certificate-authority-data"])


def ca_hash(certificate: str) -> str:
    """Return the digest by which `kubeadm join` pins the authority's public key.

    It is the SHA-256 of the key's DER form (RFC 7469, 2.4).
    """
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    return f"sha256:{digest}"
