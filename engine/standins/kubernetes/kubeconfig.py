"""Which API server a kubeconfig names, and how to be let in."""

import base64
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from engine.standins.resources import Failed

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def content(kubeconfig: str) -> str:
    """Return the text of a kubeconfig that is given as text or as a path."""
    if "\n" in kubeconfig or kubeconfig.lstrip().startswith("{"):
        return kubeconfig
    path = Path(kubeconfig).expanduser()
    return path.read_text() if path.exists() else kubeconfig


@dataclass(frozen=True)
class Access:
    """One context of a kubeconfig."""

    server: str
    namespace: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]

    @classmethod
    def parse(cls, kubeconfig: str, context: str | None = None) -> Self:
        """Return the named context, or the current one; raise Failed when it is incomplete or unusable."""
        try:
            config = yaml.load(kubeconfig, Loader=_Loader)
        except yaml.YAMLError as error:
            raise Failed(f"the kubeconfig is not YAML: {error}") from error
        if not isinstance(config, dict):
            raise Failed("the kubeconfig is empty, or the path of a file that does not exist")
        chosen = _named(config, "context", context or config.get("current-context") or "")
        cluster, user = _named(config, "cluster", chosen["cluster"]), _named(config, "user", chosen["user"])
        if "exec" in user or "auth-provider" in user:
            raise Failed("the kubeconfig's user needs a credential plugin; give it a token or a client certificate")
        return cls(cluster["server"].rstrip("/"), chosen.get("namespace") or "default", cluster, user)

    def headers(self) -> dict[str, str]:
        """Return the headers to send with every request."""
        token = self.user.get("token")
        if not token and self.user.get("tokenFile"):
            token = Path(self.user["tokenFile"]).read_text().strip()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def tls(self) -> ssl.SSLContext:
        """Return the TLS settings: the authority of the server's certificate, and the client's own certificate."""
        context = ssl.create_default_context(cadata=_pem(self.cluster, "certificate-authority"))
        if self.cluster.get("insecure-skip-tls-verify"):
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        certificate, key = _pem(self.user, "client-certificate"), _pem(self.user, "client-key")
        if certificate and key:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # mode 0600; ssl reads files only
                file.write(f"{certificate}\n{key}")
                file.flush()
                context.load_cert_chain(file.name)
        return context


def _named(config: Mapping[str, Any], kind: str, name: str) -> Any:
    for entry in config.get(f"{kind}s") or []:
        if entry["name"] == name:
            return entry[kind] or {}
    raise Failed(f"the kubeconfig has no {kind} {name!r}")


def _pem(entry: Mapping[str, Any], key: str) -> str | None:
    if entry.get(f"{key}-data"):
        return base64.b64decode(entry[f"{key}-data"]).decode()
    return Path(entry[key]).read_text() if entry.get(key) else None
