"""Where packages and images come from."""

import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from stacks.settings.types import HostName, Model, RegistryHost, spelled
from stacks.settings.urls import PublicUrl

_ARMOUR: Final = ("-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----")


def _armoured(key: str) -> str:
    text = key.strip()
    if not (text.startswith(_ARMOUR[0]) and text.endswith(_ARMOUR[1])):
        raise ValueError(f"must be an armoured public key, from {_ARMOUR[0]} to {_ARMOUR[1]}")
    return text + "\n"


def _keyring(given: str) -> str:
    """Take a file as apt takes it, whose name says what it is (apt-secure(8)), or a key."""
    if not given.startswith("/"):
        return _armoured(given)
    if not re.fullmatch(r"(/[A-Za-z0-9+._~@-]+)+\.(gpg|asc|pgp)", given):
        raise ValueError("must be the path of a keyring that ends in .gpg, .pgp or .asc, or an armoured public key")
    return given


ArmouredKey = Annotated[str, AfterValidator(_armoured)]
"""An OpenPGP public key as text (RFC 9580, 6.2)."""


class AptRepositorySettings(Model):
    """One apt source, written as deb822 (sources.list(5))."""

    url: PublicUrl
    """The repository's root."""
    suite: Annotated[
        str,
        spelled(
            r"^[A-Za-z0-9._$/][A-Za-z0-9+.:~_$()/-]{0,199}$", "one word, such as trixie, or a path with / at its end"
        ),
    ]
    """Suite, for example `trixie`; ends in / for a repository without components."""
    components: tuple[
        Annotated[str, spelled(r"^[A-Za-z0-9][A-Za-z0-9+.:~_/-]{0,199}$", "one word each, such as main")], ...
    ] = ()
    """Components, for example `main`; none when the suite ends in /."""
    signed_by: Annotated[str, AfterValidator(_keyring)] = "/usr/share/keyrings/debian-archive-keyring.gpg"
    """Keyring file on the machines, or an armoured public key."""
    check_valid_until: bool = True
    """Whether the repository is refused once its Release file has expired. False for a mirror that is not refreshed
    often enough: it then can also hold back security updates unseen."""

    @model_validator(mode="after")
    def _has_components_or_none(self) -> Self:
        if self.suite.endswith("/") == bool(self.components):
            raise ValueError(
                "must have components, such as [main], with a suite such as trixie, and none with one that ends in /"
            )
        return self


class MirrorsSettings(Model):
    """Where packages and images come from. If omitted: from the Debian mirror that the installer chose, and from the
    official repositories and registries. A site behind an air gap names its own mirrors here (see mirrors.md)."""

    apt: dict[HostName, AptRepositorySettings] = Field(default={}, min_length=1)
    """Every apt source of the machines, by a name of your choice; sources that an installer left are then disabled. If
    omitted, those stay, and the repositories of Kubernetes (pkgs.k8s.io, of the minor version of
    `cluster.kubernetes_version`) and of containerd (download.docker.com) come to them."""
    kubernetes_key: ArmouredKey | None = None
    """The key that signs pkgs.k8s.io, where `apt` is omitted and the key that henhouse has is no longer the one in
    use."""
    registry: PublicUrl | None = None
    """A registry that holds every image under `<upstream host>/<path>`. If omitted, images come from their upstream
    hosts."""
    registry_hosts: tuple[RegistryHost, ...] = ("registry.k8s.io", "quay.io", "docker.io")
    """The upstream hosts that `registry` stands in for. Images of other hosts are refused where there is a
    `registry`."""
