"""The hub's pages from a git repository."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Final

from pydantic import AfterValidator, Field, HttpUrl

from stacks.settings.authorities import TrustedCertificates
from stacks.settings.types import Model, SecretWord, Word, spelled
from stacks.settings.urls import HTTPS, PublicUrl

PASSWORD: Final = "pages-password"
AUTHORITY: Final = "pages-ca.crt"
"""Keys of the hub's Secret."""
INTERNET: Final = IPv4Network("0.0.0.0/0")


def _is_fetched_over_tls(url: HttpUrl) -> HttpUrl:
    if url.scheme != "https" or not (url.path or "").strip("/"):
        raise ValueError("must be where git clones over HTTPS, such as https://github.com/example/hub-pages")
    return url


RepositoryUrl = Annotated[PublicUrl, AfterValidator(_is_fetched_over_tls)]
Commit = Annotated[
    str,
    spelled(
        r"^([0-9a-f]{40}|[0-9a-f]{64})$",
        "a whole commit as `git log` has it, 40 hexadecimal digits; a branch may be another commit later",
    ),
]
FolderInRepository = Annotated[
    str,
    spelled(
        r"^(\.|[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*(/[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*)*)$",
        "a folder in the repository, such as hub or site/pages, or . for all of it",
        max_length=80,
    ),
]


class PagesRepositorySettings(Model):
    """One commit of a git repository, with what `hub.pages` describes."""

    url: RepositoryUrl
    """Where git clones it: `https://github.com/example/hub-pages`."""
    commit: Commit
    """The commit whose pages the hub has. To publish a change, push it, and set this to its commit."""
    folder: FolderInRepository = "."
    """Where in the repository the pages are. README, LICENSE and such, and names that begin with a dot, may lie beside
    them."""
    user: Word = "git"
    """Who fetches, where `password` is given. GitHub and GitLab take any name beside a token."""
    password: SecretWord | None = None
    """A token that may read the repository, where not everybody may: `pulumi config set --secret --path
    'henhouse:hub.pages_repository.password'`."""
    networks: tuple[IPv4Network, ...] = Field(default=(INTERNET,), min_length=1)
    """Where the repository's host has its addresses: a network policy knows no names. If omitted, anywhere on the
    Internet. A host inside the site's own networks has to be named, as `192.0.2.10/32`."""
    certificate_authority: TrustedCertificates | None = None
    """The authority that signed its certificate, PEM, where that is one of the site's own."""

    @property
    def port(self) -> int:
        """The TCP port of the host."""
        return self.url.port or HTTPS

    @property
    def given(self) -> Mapping[str, str]:
        """What the hub's Secret holds for it, by key."""
        found = {
            PASSWORD: self.password.get_secret_value() if self.password else None,
            AUTHORITY: self.certificate_authority,
        }
        return {key: text for key, text in found.items() if text is not None}
