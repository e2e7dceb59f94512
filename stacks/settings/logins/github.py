"""GitHub."""

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, HttpUrl, model_validator

from stacks.settings.logins.provider import ProviderLoginSettings, ProviderUrl
from stacks.settings.types import spelled

GitHubGroup = Annotated[
    str,
    spelled(
        r"^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}(:[a-z0-9]([a-z0-9_-]*[a-z0-9])?)?$",
        "an organization of GitHub or a team of one, such as my-lab or my-lab:staff",
    ),
]
"""An organization of GitHub, or a team of one as `organization:team`."""


GITHUB: Final = "github.com"
RESIDENT: Final = ".ghe.com"
"""How the names of enterprises end whose data GitHub keeps in a region: https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency."""


def _is_githubs(url: HttpUrl) -> HttpUrl:
    """Refuse an address at which GitHub is in a browser, and answers no program."""
    host = str(url.host)
    if host.endswith(f".{GITHUB}"):
        raise ValueError(f"must be https://{GITHUB}, from which the hub knows GitHub's other addresses")
    if host.endswith(RESIDENT) and host.count(".") > RESIDENT.count("."):
        raise ValueError(
            f"must be https://{'.'.join(host.split('.')[-3:])}, from which the hub knows the other addresses"
        )
    if (url.path or "/") != "/":
        raise ValueError(f"must be where GitHub is, without a path, such as https://{host}")
    return url


class GitHubLoginSettings(ProviderLoginSettings):
    """Accounts of GitHub, or of a GitHub Enterprise Server."""

    type: Literal["github"] = "github"
    """Selects this way to log in."""
    url: Annotated[ProviderUrl, AfterValidator(_is_githubs)] = HttpUrl(f"https://{GITHUB}")
    """Where GitHub is: the address of a GitHub Enterprise Server, or `https://NAME.ghe.com`."""
    allowed_organizations: tuple[GitHubGroup, ...] = ()
    """Organizations whose members may log in, or teams as `organization:team`, spelled as in their addresses. In
    user servers each organization is a group, by its number; a team is none there."""
    organization_groups: bool = False
    """Whether each organization and each team of `allowed_organizations` is a group of the hub, under the name that it
    has there, such as my-lab or my-lab:staff: for `allowed_groups` of sizes and profiles, for culling, for roles, and
    teams also for shares, which know organizations anyhow. Who is in these groups is then GitHub's to say, and no
    longer an administrator's on the page Admin; groups of other names stay theirs."""
    denied_organizations: tuple[GitHubGroup, ...] = ()
    """Organizations and teams whose members may not log in. They win over what is allowed. A person whose
    membership GitHub does not let the hub see is refused."""
    scope: tuple[Literal["read:user", "user:email", "read:org", "public_repo", "repo"], ...] = (
        "read:user",
        "user:email",
        "read:org",
    )
    """Scopes that the hub requests. Without `read:org` only public memberships count."""

    git_credentials: bool = False
    """Whether git in user servers may use the person's GitHub token over HTTPS, to clone and to push. It asks the hub
    for the token at each use; the token is in no file and no variable. `scope` needs `public_repo`, or `repo` for
    private repositories: people agree to it at their next login."""

    fragment: ClassVar[str] = "github.py"
    modules: ClassVar[tuple[str, ...]] = (
        *ProviderLoginSettings.modules,
        "git_credential.py",
        "git_tokens.py",
        "organizations.py",
    )
    numbers_accounts: ClassVar[bool] = True
    allows: ClassVar[str] = "allowed_organizations, such as [my-lab], or allowed_users"

    @property
    def api(self) -> str:
        """Where GitHub answers programs, without a slash at the end."""
        url = str(self.url).rstrip("/")
        apart = self.url.host == GITHUB or str(self.url.host).endswith(RESIDENT)
        return url.replace("://", "://api.", 1) if apart else f"{url}/api/v3"

    def values(self, callback_url: str) -> dict[str, Any]:
        return {**super().values(callback_url), "api": self.api}

    @property
    def lets_anyone_in(self) -> bool:
        return bool(self.allowed_organizations or self.allowed_users)

    @model_validator(mode="after")
    def _git_may_push(self) -> Self:
        if self.git_credentials and not {"public_repo", "repo"}.intersection(self.scope):
            raise ValueError(
                "git_credentials need public_repo or repo in scope, such as "
                f"[{', '.join((*self.scope, 'public_repo'))}]: without it no token may push"
            )
        return self

    @model_validator(mode="after")
    def _denied_can_be_seen(self) -> Self:
        if self.denied_organizations and "read:org" not in self.scope:
            raise ValueError("denied_organizations need read:org in scope: without it no membership can be seen")
        if self.organization_groups and "read:org" not in self.scope:
            raise ValueError("organization_groups need read:org in scope: without it few memberships can be seen")
        return self
