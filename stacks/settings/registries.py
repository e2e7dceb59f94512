"""Registries that want to know who asks for an image."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, SecretStr

from stacks.settings.types import Model, RegistryHost, spelled

DOCKER_HUB: Final = "docker.io"
"""The only host whose name is not that of its registry; clients know it
(https://pkg.go.dev/github.com/distribution/reference)."""
DOCKER_HUBS_OTHER_NAMES: Final = (
    "index.docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
    "hub.docker.com",
)
RegistryUser = Annotated[str, spelled(r"^[^:\x00-\x1f\x7f]+$", "a registry's user, without a colon")]


def host_of(image: str) -> str:
    """Return the host of an image, or of a repository, as nodes look it up."""
    host = image.partition("/")[0]
    # Clients know this one by both names.
    return DOCKER_HUB if host == "index.docker.io" else host


def _check_host(host: Any) -> Any:
    name = str(host).removeprefix("https://").partition("/")[0].rpartition("@")[2]
    if name in DOCKER_HUBS_OTHER_NAMES:
        raise ValueError(
            f"must be {DOCKER_HUB}, as in the names of Docker Hub's images: henhouse knows its other names"
        )
    if name != host and "." in name:
        raise ValueError(f"must be the host alone, as in the names of its images: {name}")
    return host


def _check_password(password: SecretStr) -> SecretStr:
    """Refuse what a copy brings along. There may be lines in it: some registries take the file of a key."""
    text = password.get_secret_value()
    if not text or text.strip() != text:
        raise ValueError("must be a password or a token, without a blank or a line break around it")
    return password


RegistryPassword = Annotated[SecretStr, AfterValidator(_check_password)]


class RegistryAccountSettings(Model):
    """An account of a registry."""

    username: RegistryUser
    """Who asks. For a token it is what the registry says, often any name."""
    password: RegistryPassword
    """The password or the token: `pulumi config set --secret --path
    'henhouse:hub.imagePullSecrets["ghcr.io"].password'`."""


def _check_accounts(accounts: Any) -> Any:
    if isinstance(accounts, list | tuple):
        raise ValueError(
            "must have an account by the host of each registry, such as ghcr.io: {username: …, password: …}: the names "
            "of Secrets are not needed, because henhouse makes the Secret"
        )
    return accounts


RegistryAccounts = Annotated[
    dict[Annotated[RegistryHost, BeforeValidator(_check_host)], RegistryAccountSettings],
    BeforeValidator(_check_accounts),
]
"""Accounts by the host in the names of images."""
