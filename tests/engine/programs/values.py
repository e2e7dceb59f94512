"""Random values and a certificate chain."""

import pulumi
import pulumi_random as random
import pulumi_tls as tls

config = pulumi.Config()

password = random.RandomPassword(
    "password", length=24, min_special=2, override_special="!_", keepers={"generation": config.get("generation") or "1"}
)
cookie = random.RandomBytes("cookie", length=32)
label = random.RandomString("label", length=6, special=False, upper=False, min_numeric=2)
identifier = random.RandomId("identifier", byte_length=4, prefix="hub-")
number = random.RandomInteger("number", min=3, max=5)
name = random.RandomUuid("name")

authority_key = tls.PrivateKey("authority-key", algorithm="ECDSA", ecdsa_curve="P256")
authority = tls.SelfSignedCert(
    "authority",
    private_key_pem=authority_key.private_key_pem,
    is_ca_certificate=True,
    set_subject_key_id=True,
    subject={"common_name": config.get("authority") or "Lab", "organization": "Lab"},
    validity_period_hours=48,
    allowed_uses=["cert_signing", "crl_signing"],
)
server_key = tls.PrivateKey("server-key", algorithm="RSA", rsa_bits=2048)
request = tls.CertRequest(
    "request",
    private_key_pem=server_key.private_key_pem,
    subject={"common_name": "hub.example.test"},
    dns_names=["hub.example.test"],
    ip_addresses=["198.18.0.1"],
)
server = tls.LocallySignedCert(
    "server",
    ca_cert_pem=authority.cert_pem,
    ca_private_key_pem=authority_key.private_key_pem,
    cert_request_pem=request.cert_request_pem,
    validity_period_hours=24,
    early_renewal_hours=config.get_int("early") or 1,
    allowed_uses=["server_auth", "digital_signature", "key_encipherment"],
)
login = tls.PrivateKey("login", algorithm="ED25519")

pulumi.export("password", password.result)
pulumi.export("hash", password.bcrypt_hash)
pulumi.export("cookie", cookie.hex)
pulumi.export("label", label.result)
pulumi.export("identifier", identifier.hex)
pulumi.export("number", number.result)
pulumi.export("name", name.result)
pulumi.export("authority", authority.cert_pem)
pulumi.export("server", server.cert_pem)
pulumi.export("login", login.public_key_openssh)
pulumi.export("login_private", login.private_key_openssh)
pulumi.export("dns_records", [{"name": "hub.example.test.", "type": "A", "ttl": 300, "values": ["198.18.0.2"]}])
