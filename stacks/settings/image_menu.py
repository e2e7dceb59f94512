"""A menu of images from the tags of a registry's repository."""

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from programs.hub.image_names import repository_of
from stacks.settings.authorities import TrustedCertificates
from stacks.settings.registries import RegistryAccountSettings, RegistryPassword, RegistryUser
from stacks.settings.types import DomainName, Model, check_image, spelled


def _check_repository(name: str) -> str:
    if has_tag(name):
        raise ValueError("must have no tag and no digest: the menu is made of the tags")
    # Registries, nodes and mirrors know Docker Hub's own images in `library` alone.
    return repository_of(check_repository(name))


def has_tag(name: str) -> bool:
    """Return whether an image's name ends in a tag or a digest."""
    return "@" in name or ":" in name.rpartition("/")[2]


def check_repository(name: str) -> str:
    """Refuse what is not a repository's whole name."""
    try:
        check_image(f"{name}:tag")
    except ValueError as error:
        raise ValueError("must be HOST/PATH, such as quay.io/jupyter/base-notebook") from error
    return name


Repository = Annotated[str, StringConstraints(max_length=200), AfterValidator(_check_repository)]
"""A repository of images by its upstream name, host included."""

Tag = Annotated[
    str,
    spelled(
        r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$",
        "a tag without the image: up to 128 letters, digits, dots, hyphens and _, such as 2026-10-05",
    ),
]


class ImageMenuSettings(Model):
    """A menu of images from the tags of a repository: `dYYYYMMDD` is a daily build, `wYYYYWW` a weekly one, `rMMm`
    release MM.m, `exp…` experimental; every other tag is plain. See hub-menu.md."""

    repository: Repository
    """Registry and path without a tag, such as `quay.io/example/lab`. Where `mirrors.registry` stands in for the host,
    the hub lists the tags there."""
    releases: int = Field(default=1, ge=0, le=20)
    """How many of the newest releases are offered."""
    weeklies: int = Field(default=2, ge=0, le=20)
    """How many of the newest weekly builds are offered."""
    dailies: int = Field(default=3, ge=0, le=20)
    """How many of the newest daily builds are offered."""
    experimentals: int = Field(default=0, ge=0, le=20)
    """How many of the tags that begin with `exp` are offered, those with the highest numbers first."""
    plain: int = Field(default=0, ge=0, le=20)
    """How many of the other tags are offered, those with the highest numbers first."""
    recommended: Tag | None = "recommended"
    """The tag of the image that is offered first and chosen unless a person chooses another. A repository may lack
    it."""
    refresh_seconds: int = Field(default=300, ge=30, le=86400)
    """How often the hub lists the registry's tags."""
    user: RegistryUser | None = None
    """Who asks, where the registry wants to know. The nodes then pull with it, too."""
    password: RegistryPassword | None = None
    """The password or the token of `user`."""
    token_hosts: tuple[DomainName, ...] = ()
    """Hosts besides the registry's own that may issue tokens, and so learn the password."""
    networks: tuple[IPv4Network, ...] = Field(default=(), min_length=1)
    """Networks that the registry, and whoever gives its tokens, has addresses in; the hub reaches them and no others.
    If omitted: the registry's own address where it is written as one, or else all of the Internet, at the registry's
    port."""
    certificate_authority: TrustedCertificates | None = None
    """PEM of who signed the registry's certificate, where that is not an authority that everyone trusts."""

    @property
    def account(self) -> RegistryAccountSettings | None:
        """With what account nodes pull, where it is given whole."""
        if self.user is None or self.password is None:
            return None
        return RegistryAccountSettings.model_construct(username=self.user, password=self.password)

    @property
    def counts(self) -> dict[str, int]:
        """How many images are offered, by the kind of tag (programs/hub/menu/image_menu.py)."""
        return {
            "release": self.releases,
            "weekly": self.weeklies,
            "daily": self.dailies,
            "experimental": self.experimentals,
            "plain": self.plain,
        }
