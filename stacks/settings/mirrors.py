"""Where packages and images come from."""

from pydantic import Field

from stacks.settings.types import HostName, Model, PublicUrl


class AptRepositorySettings(Model):
    """One apt source, written as deb822 (sources.list(5))."""

    url: PublicUrl
    """The repository's root."""
    suite: str
    """Suite, for example `trixie`; ends in / for a repository without components."""
    components: tuple[str, ...] = ()
    """Components, for example `main`; none when the suite ends in /."""
    signed_by: str = "/usr/share/keyrings/debian-archive-keyring.gpg"
    """Keyring file on the machines, or an armoured public key."""


class MirrorsSettings(Model):
    """Where packages and images come from. A site behind an air gap names its own mirrors here; no other
    source is used."""

    apt: dict[HostName, AptRepositorySettings] = Field(min_length=1)
    """Every apt source of the machines, by a name of your choice. Sources that an installer left are disabled."""
    registry: PublicUrl | None = None
    """A registry that holds every image under `<upstream host>/<path>`. If omitted, images come from their upstream
    hosts."""
    registry_hosts: tuple[str, ...] = ("registry.k8s.io", "quay.io", "docker.io")
    """The upstream hosts that `registry` stands in for."""
