"""The specification of a machine's certificates: a JSON file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """A file with a certificate: PEM, or a kubeconfig."""

    path: str
    renewer: str
    """Who renews it, in the words of an alert: `henhouse-renewal.timer`, `pulumi up`."""


@dataclass(frozen=True)
class Component:
    """One of kubeadm's static pods."""

    certificates: tuple[str, ...]
    """Names of the certificates that it must have been started with."""
    url: str
    """Answers 200 when the component is well."""
    shows: str | None = None
    """Path of the certificate that it shows there; None for one that it makes itself at each start."""
    authority: str | None = None
    """Path of the certificate of who signed that."""
    client: str | None = None
    """Path, without its suffix, of the certificate and the key to ask with."""


@dataclass(frozen=True)
class Renewal:
    """How kubeadm's certificates are renewed."""

    config: str
    """Path of kubeadm's configuration."""
    lifetime_seconds: int
    """How long a new certificate lasts."""
    interval_seconds: int
    """Time between two checks."""
    backup: str
    """Directory for the certificates that are being renewed."""
    components: Mapping[str, Component]
    """By the name of the program, in the order in which they are restarted."""
    peers: tuple[str, ...] = ()
    """Addresses of the other control planes' API servers, https://ADDRESS:PORT."""


@dataclass(frozen=True)
class Spec:
    """All that is known of one group of certificates."""

    name: str
    certificates: Mapping[str, Certificate]
    """By the name that an alert calls it by."""
    renewal: Renewal | None = None

    def text(self) -> str:
        """Return the file."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> "Spec":
        """Return what the file says."""
        return cls.parse(path.read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> "Spec":
        """Return what a file's text says."""
        found = json.loads(text)
        certificates = {name: Certificate(**each) for name, each in found["certificates"].items()}
        renewal = found["renewal"]
        if renewal is None:
            return cls(found["name"], certificates)
        components = {
            name: Component(**{**each, "certificates": tuple(each["certificates"])})
            for name, each in renewal["components"].items()
        }
        about = {**renewal, "components": components, "peers": tuple(renewal["peers"])}
        return cls(found["name"], certificates, Renewal(**about))
