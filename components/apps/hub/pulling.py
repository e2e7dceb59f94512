"""With what accounts nodes pull images: the Secrets, and the pods that name them."""

import base64
import json
from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import LocalObjectReferenceArgs, Secret
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from stacks.settings import HubSettings
from stacks.settings.registries import DOCKER_HUB, RegistryAccountSettings, host_of

PULL_SECRET: Final = "image-pull-secret"
"""In the users' namespace, and in the hub's where an image of its own pods needs one; Zero to JupyterHub's name."""
TYPE: Final = "kubernetes.io/dockerconfigjson"
Accounts = Mapping[str, RegistryAccountSettings]
"""By the host in the images' names."""


def pull_secret(
    name: str, namespace: pulumi.Input[str], accounts: Accounts, options: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Make the Secret with which nodes pull images for the pods of a namespace, none where they need no account.

    It has one name for good, so that a new password restarts neither the hub nor a server: the kubelet reads it at each
    pull, also when a container of a running server is started again. No pod has an account that could read it.
    """
    if not accounts:
        return []
    return [
        Secret(
            name,
            metadata=ObjectMetaArgs(name=PULL_SECRET, namespace=namespace),
            type=TYPE,
            data={".dockerconfigjson": pulumi.Output.secret(_docker_config(accounts))},
            opts=options,
        )
    ]


def server_pull_secrets(hub: HubSettings) -> list[str]:
    """Return the names of the Secrets with which nodes pull the images of user servers."""
    return [PULL_SECRET] if hub.pull_accounts else []


def own_accounts(hub: HubSettings) -> Accounts:
    """Return the accounts for the images of the hub's and of the proxy's pods. The menu's is for user servers alone: a
    token of it that has ended keeps no hub from starting."""
    hosts = {host_of(hub.image), host_of(hub.proxy_image)}
    return {host: account for host, account in hub.image_pull_secrets.items() if host in hosts}


def own_pull_secrets(hub: HubSettings) -> list[LocalObjectReferenceArgs] | None:
    """Return what the hub's and the proxy's pods have of it, None where they need no account."""
    return [LocalObjectReferenceArgs(name=PULL_SECRET)] if own_accounts(hub) else None


def _docker_config(accounts: Accounts) -> str:
    """Return the accounts in the form that Docker keeps them in, in base64.

    Nodes look an account up by the host in the image's name. containerd shows it to whatever registry stands in for it
    (its internal/cri/server/images/image_pull.go).
    """
    found = {
        # Docker Hub's account has kept the name of its first registry (kubelet's credentialprovider, `docker login`).
        "https://index.docker.io/v1/" if host == DOCKER_HUB else host: {"auth": _encoded(_words(account))}
        for host, account in sorted(accounts.items())
    }
    return _encoded(json.dumps({"auths": found}))


def _words(account: RegistryAccountSettings) -> str:
    return f"{account.username}:{account.password.get_secret_value()}"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
