"""etcd, an API server and a controller manager on the loopback; without nodes."""

import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.mirror.programs import ETCD, KUBERNETES
from tests.tools import free_port


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane."""

    server: str
    directory: Path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's, with a client certificate as kubeadm's has."""
        return self.directory / "kubeconfig"

    def ask(self, method: str, path: str, body: object = None, kind: str = "application/json") -> dict[str, Any]:
        """One request of the administrator's."""
        tls = ssl.create_default_context(cafile=str(self.directory / "ca.crt"))
        tls.load_cert_chain(self.directory / "admin.crt", self.directory / "admin.key")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data, {"Content-Type": kind}, method=method)
        with urllib.request.urlopen(request, context=tls, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def exists(self, path: str) -> bool:
        """Whether there is an object."""
        try:
            self.ask("GET", path)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return False
        return True


class _Authority:
    """Signs certificates that are good for a day."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        certificate = self._sign(self._name, self._key.public_key(), x509.BasicConstraints(True, None))
        (directory / "ca.crt").write_bytes(certificate)

    def _sign(self, subject: x509.Name, public: ec.EllipticCurvePublicKey, extension: x509.ExtensionType) -> bytes:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            self._name,
            subject,
            public,
            x509.random_serial_number(),
            now - timedelta(minutes=1),
            now + timedelta(days=1),
        )
        return builder.add_extension(extension, False).sign(self._key, hashes.SHA256()).public_bytes(forms.Encoding.PEM)

    def issue(self, name: str, organization: str) -> None:
        """``<name>.crt`` and ``<name>.key``, for the loopback."""
        key = ec.generate_private_key(ec.SECP256R1())
        pairs = ((NameOID.COMMON_NAME, name), (NameOID.ORGANIZATION_NAME, organization))
        subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        (self._directory / f"{name}.crt").write_bytes(self._sign(subject, key.public_key(), address))
        layout = (forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
        (self._directory / f"{name}.key").write_bytes(key.private_bytes(*layout))


def _kubeconfig(server: str, directory: Path) -> str:
    user = {"client-certificate": str(directory / "admin.crt"), "client-key": str(directory / "admin.key")}
    cluster = {"server": server, "certificate-authority": str(directory / "ca.crt")}
    return yaml.safe_dump(
        {
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            "current-context": "test",
        }
    )


@contextmanager
def running(command: Sequence[str | Path], log: Path, **environment: str) -> Iterator[None]:
    """Run a program while the block runs; what it says is in `log`, beside which it runs."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env=os.environ | environment,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def control_plane(directory: Path) -> Iterator[ControlPlane]:
    """Run a control plane while the block runs; its files are in `directory`."""
    etcd, kubernetes = ETCD.artifact.make(), KUBERNETES.artifact.make()
    authority = _Authority(directory)
    for name, organization in (("server", "test"), ("admin", "system:masters"), ("accounts", "test")):
        authority.issue(name, organization)
    clients, peers, port = (f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}", free_port())
    found = ControlPlane(f"https://127.0.0.1:{port}", directory)
    found.kubeconfig.write_text(_kubeconfig(found.server, directory))
    with ExitStack() as stack:
        stack.enter_context(running(_etcd(etcd, clients, peers), directory / "etcd.log"))
        stack.enter_context(running(_api_server(kubernetes, directory, clients, port), directory / "apiserver.log"))
        _wait_for(found)
        stack.enter_context(running(_controllers(kubernetes, directory), directory / "controllers.log"))
        yield found


def _etcd(programs: Path, clients: str, peers: str) -> list[str | Path]:
    return [
        programs / "etcd",
        "--data-dir=etcd",
        "--unsafe-no-fsync",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
    ]


def _api_server(programs: Path, directory: Path, etcd: str, port: int) -> list[str | Path]:
    return [
        programs / "kube-apiserver",
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={directory}/server.crt",
        f"--tls-private-key-file={directory}/server.key",
        f"--client-ca-file={directory}/ca.crt",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://test",
        f"--service-account-key-file={directory}/accounts.crt",
        f"--service-account-signing-key-file={directory}/accounts.key",
        "--service-cluster-ip-range=198.18.32.0/20",
    ]


def _controllers(programs: Path, directory: Path) -> list[str | Path]:
    return [
        programs / "kube-controller-manager",
        f"--kubeconfig={directory}/kubeconfig",
        f"--service-account-private-key-file={directory}/accounts.key",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={free_port()}",
    ]


def _wait_for(found: ControlPlane) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            found.ask("GET", "/api/v1/namespaces/default")
            return
        except (OSError, urllib.error.URLError):
            log = found.directory / "apiserver.log"
            assert time.monotonic() < deadline, f"the API server does not answer:\n{log.read_text()[-3000:]}"
            time.sleep(0.2)
