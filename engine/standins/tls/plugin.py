"""The plugin's table of types."""

from engine.standins.server import Provider, serve
from engine.standins.tls.certificates import CertRequest, LocallySignedCert, SelfSignedCert
from engine.standins.tls.keys import PrivateKey, public_key


def main(version: str) -> None:
    """Serve the engine as the official plugin of this version."""
    resources = {
        "tls:index/privateKey:PrivateKey": PrivateKey(),
        "tls:index/selfSignedCert:SelfSignedCert": SelfSignedCert(),
        "tls:index/certRequest:CertRequest": CertRequest(),
        "tls:index/locallySignedCert:LocallySignedCert": LocallySignedCert(),
    }
    serve(Provider("tls", version, resources, {"tls:index/getPublicKey:getPublicKey": public_key}))
