"""The provider: its configuration, and what a change of that means."""

import json
import os
import ssl
from typing import Any

from engine.standins.diffs import Diff, differences
from engine.standins.kubernetes.api import TIMEOUT_VARIABLE, Cluster, Unreachable
from engine.standins.kubernetes.kubeconfig import Access, content
from engine.standins.kubernetes.objects import Object
from engine.standins.kubernetes.settings import Settings
from engine.standins.resources import Call, Failed, Resource
from engine.standins.server import Provider, serve
from engine.standins.values import UNKNOWN, Props, has_unknown

_NOT_HERE = ("kubernetes:helm.sh/", "kubernetes:kustomize/", "kubernetes:yaml/")


class Kubernetes(Provider):
    """One provider resource of the program's, so one cluster."""

    accepts_secrets = True

    def __init__(self, version: str) -> None:
        super().__init__("kubernetes", version, functions={"kubernetes:yaml:decode": decode_yaml})
        self._cluster: Cluster | None = None
        self._problem = "the provider is not configured"
        self._object = Object(Settings({}, self._reached, "default"))

    def _reached(self) -> Cluster:
        if self._cluster is None:
            raise Unreachable(f"configured Kubernetes cluster is unreachable: {self._problem}")
        return self._cluster

    def find(self, token: str) -> Resource:
        if token.startswith(_NOT_HERE):
            raise Failed(f"there is no {token} in this plugin; use typed resources, or the official plugin")
        return self._object

    async def configure(self, config: Props) -> None:
        namespace, seconds = "default", client_timeout(config)
        try:
            access = Access.parse(content(_kubeconfig(config)), config.get("context"))
            self._cluster, namespace = Cluster(access, seconds), access.namespace
        except (Failed, OSError, ValueError, KeyError, ssl.SSLError) as error:
            self._problem = f"unable to load the kubeconfig: {error}"
        self._object = Object(Settings(config, self._reached, config.get("namespace") or namespace))

    def diff_config(self, olds: Props, news: Props) -> Diff:
        """Another cluster means new objects. `clusterIdentifier` says so where it is set; else the kubeconfig hints."""
        changes = differences(olds, news)
        before, after = olds.get("clusterIdentifier"), news.get("clusterIdentifier")
        replaces: list[str] = []
        if before and after:
            replaces = ["clusterIdentifier"] if before != after else []
        elif not (before or after) and "kubeconfig" in changes and not _same_server(olds, news):
            replaces = ["kubeconfig"]
        return Diff(changes, replaces, detailed=False)


def client_timeout(config: Props) -> int | None:
    """Return the seconds that a request may take, as the program or else the environment says; None for no limit."""
    settings = config.get("kubeClientSettings") or {}
    given = (json.loads(settings) if isinstance(settings, str) else settings).get("timeout")
    wanted = os.environ.get(TIMEOUT_VARIABLE) or None if given is None else given
    try:
        return None if wanted is None else int(wanted)
    except ValueError as error:
        raise Failed(f"invalid value specified for {TIMEOUT_VARIABLE}: {wanted!r} is not a number") from error


def _kubeconfig(config: Props) -> str:
    return config.get("kubeconfig") or os.environ.get("KUBECONFIG") or "~/.kube/config"


def _same_server(olds: Props, news: Props) -> bool:
    one, other = _server(olds), _server(news)
    return one is not UNKNOWN and other is not UNKNOWN and bool(one == other)


def _server(config: Props) -> Any:
    if has_unknown(config.get("kubeconfig")):
        return UNKNOWN
    try:
        return Access.parse(content(_kubeconfig(config)), config.get("context")).server
    except (Failed, OSError, KeyError):  # an unreadable kubeconfig names no server
        return None


async def decode_yaml(call: Call, arguments: Props) -> Props:
    """Return the documents of a text: the function behind `yaml.ConfigFile` and `yaml.ConfigGroup`."""
    import yaml

    return {"result": [each for each in yaml.safe_load_all(arguments["text"]) if each]}


def main(version: str) -> None:
    """Serve the engine as the official plugin of this version."""
    serve(Kubernetes(version))
