"""Random values and certificates, through their whole life in the real engine."""

import json
import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import bcrypt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key

from tests.engine.project import Project

pytestmark = pytest.mark.engine

Make = Callable[..., Project]


def test_life(project: Make) -> None:
    stack = project("values")
    printed, steps = stack.up()
    assert {operation for operation, _ in steps} == {"create"}
    outputs = stack.outputs()
    _check_random(outputs)
    _check_certificates(outputs)
    _check_secrecy(stack, outputs, printed)

    stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert stack.outputs() == outputs

    stack.configure(generation="2", early=2)
    assert stack.plan() == {"password": "replace", "server": "update"}
    _, steps = stack.up()
    assert ("create-replacement", "password") in steps
    assert steps.index(("create-replacement", "password")) < steps.index(("delete-replaced", "password"))
    changed = stack.outputs()
    assert {key for key in outputs if changed[key] != outputs[key]} == {"password", "hash"}

    assert {operation for operation, _ in stack.destroy()} == {"delete"}
    assert "resources" not in stack.state()


def test_another_authority_signs_again(project: Make) -> None:
    stack = project("values")
    stack.up()
    stack.configure(authority="Another")
    plan = stack.plan()
    assert plan == {"authority": "replace", "server": "replace"}
    stack.up()
    _check_certificates(stack.outputs())


def test_renewal_is_due(project: Make) -> None:
    stack = project("values")
    stack.up()
    stack.configure(early=25)  # the certificate is valid for 24 hours
    assert stack.plan() == {"server": "replace"}


def _check_random(outputs: dict[str, Any]) -> None:
    password = outputs["password"]
    assert len(password) == 24
    assert sum(character in "!_" for character in password) >= 2
    assert re.fullmatch(r"[A-Za-z0-9!_]+", password)
    assert bcrypt.checkpw(password.encode(), outputs["hash"].encode())
    assert len(bytes.fromhex(outputs["cookie"])) == 32
    assert re.fullmatch(r"[a-z0-9]{6}", outputs["label"])
    assert sum(character.isdigit() for character in outputs["label"]) >= 2
    assert re.fullmatch(r"hub-[0-9a-f]{8}", outputs["identifier"])
    assert 3 <= outputs["number"] <= 5
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", outputs["name"])


def _check_certificates(outputs: dict[str, Any]) -> None:
    authority, server = (x509.load_pem_x509_certificate(outputs[each].encode()) for each in ("authority", "server"))
    server.verify_directly_issued_by(authority)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hub.example.test"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("198.18.0.1")]
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert round((server.not_valid_after_utc - server.not_valid_before_utc).total_seconds() / 3600) == 24
    private = load_ssh_private_key(outputs["login_private"].encode(), None)
    public = load_ssh_public_key(outputs["login"].encode())
    assert private.public_key() == public


def _check_secrecy(stack: Project, outputs: dict[str, Any], printed: str) -> None:
    """Check that what is secret by nature is encrypted in the state, and masked wherever it is shown."""
    exported = json.dumps(stack.state())
    shown = stack.pulumi("stack", "output") + printed
    for secret in (outputs["password"], outputs["hash"], outputs["cookie"], outputs["login_private"]):
        assert json.dumps(secret)[1:-1] not in exported
        assert secret not in shown
    assert outputs["label"] in exported


def test_what_is_secret_by_nature_is_so_before_it_is_known(project: Make) -> None:
    """A preview shows `[secret]`, not `[unknown]`, as the official plugins make it."""
    shown = project("values").pulumi("preview", "--diff")
    hidden = re.findall(r"(?:^|\s)(privateKeyPem|caPrivateKeyPem)\s*: (\S+)$", shown, re.MULTILINE)
    assert {value for _, value in hidden} == {"[secret]"}
    assert {name for name, _ in hidden} == {"privateKeyPem", "caPrivateKeyPem"}
