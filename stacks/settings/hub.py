"""JupyterHub."""

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from programs.hub.image_names import repository_of
from stacks.settings.amounts import ByteSize, Cores
from stacks.settings.announcements import Announcements
from stacks.settings.chart import (
    EnvName,
    EnvValue,
    ExtraFileSettings,
    FileKey,
    RoleName,
    RoleSettings,
    ServiceName,
    ServiceSettings,
    VolumeMountSettings,
    VolumeSettings,
)
from stacks.settings.culling import LONGEST_SECONDS, SHORTEST_SECONDS, CullSettings
from stacks.settings.database import AnyDatabase, SqliteSettings
from stacks.settings.egress import EgressPolicySettings
from stacks.settings.fragments import FragmentsFolder
from stacks.settings.image_menu import ImageMenuSettings
from stacks.settings.logins import AnyLogin, NativeLoginSettings
from stacks.settings.menu import ProfileSettings, Sizes
from stacks.settings.pages import PagesFolder, TemplateVariables
from stacks.settings.pages_repository import PagesRepositorySettings
from stacks.settings.prepuller import PrePullerSettings
from stacks.settings.registries import RegistryAccounts, RegistryAccountSettings, host_of
from stacks.settings.scheduling import BudgetSettings, ResourcesSettings, SchedulingSettings
from stacks.settings.singleuser import SingleuserSettings
from stacks.settings.types import DomainName, HostName, ImageName, Model, UserName, spelled
from stacks.versions import SITE

CALLBACK_PATH: Final = "/hub/oauth_callback"
"""Where an identity provider sends people back to; the hub then asks it who they are."""
_HOST: Final = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+"
Contact = Annotated[
    str,
    spelled(
        rf"^(https://{_HOST}(:[0-9]{{1,5}})?([/?#][A-Za-z0-9._~/?#=&+%:@!$'()*,;-]*)?|[A-Za-z0-9._'+-]{{1,64}}@{_HOST})$",
        "one mail address such as help@example.org, or an https URL, in ASCII",
    ),
]
KeyName = Annotated[
    str, spelled(r"^[a-z0-9][a-z0-9-]{0,30}$", "up to 31 small letters, digits and hyphens, such as first")
]


class SizeSettings(Model):
    """What a person's server may use. Names and meanings are those of KubeSpawner."""

    cpu_guarantee: Cores = 0.1
    """Cores reserved on the node."""
    cpu_limit: Cores = 2
    """The most cores it may use."""
    mem_guarantee: ByteSize = "512Mi"
    """Memory reserved on the node."""
    mem_limit: ByteSize = "2Gi"
    """The most memory it may use; beyond it the kernel kills the process."""


class HubSettings(Model):
    """JupyterHub."""

    host: DomainName
    """The public name, which people open in their browsers."""
    login: AnyLogin = NativeLoginSettings()
    """How people log in. `native`: accounts with passwords that the hub keeps.
    `dummy`: any name with one shared password; only a lab may use it.
    `github`, `oidc`, `google`, `cilogon`: with an identity provider (docs/hub.md)."""
    administrators: tuple[UserName, ...] = Field(min_length=1)
    """Who may manage accounts and servers in the hub. Whoever is no longer named loses that right at the next start of
    the hub, and keeps their account."""
    contact: Contact | None = None
    """Where people ask for an account, and report what an error page says: a mail address, or an https URL. Every page
    of the hub has the link, for everyone to see. If omitted, pages speak of an administrator alone."""
    keys: tuple[KeyName, ...] = Field(default=("first",), min_length=1)
    """Names of the keys that encrypt logins at rest, newest first: JupyterHub encrypts with the first and reads with
    all. To rotate, put a new name in front; when it starts, the hub re-encrypts what is stored with the first. The
    others can be dropped at the next `up`. The first is protected: a rotation that drops it is refused, and
    a hub without the key that its logins are encrypted with does not start."""
    keys_lost: bool = False
    """True if a key cannot be had any more: the hub starts, and people whose logins it encrypted log in again."""
    image: ImageName = f"quay.io/jupyterhub/k8s-hub:{SITE['k8s_hub']}"
    """The hub's image."""
    proxy_image: ImageName = f"quay.io/jupyterhub/configurable-http-proxy:{SITE['configurable_http_proxy']}"
    """The proxy's image."""
    server_image: ImageName
    """The image of user servers."""
    size: SizeSettings = SizeSettings()
    """What a person's server may use, where people choose no size."""
    sizes: Sizes = ()
    """The sizes that people may choose, in the order of the page. `doubling` stands for tiny, small, medium and large,
    from half a core and 1Gi to 4 cores and 8Gi, a quarter of it reserved. If omitted, `size` is everyone's."""
    profile_list: tuple[ProfileSettings, ...] = ()
    """Kinds of server that people may choose, in the order of the page. If omitted, there is one kind."""
    image_menu: ImageMenuSettings | None = None
    """A menu of images from the tags of a repository. If omitted, everyone has `server_image`. Where there is a menu,
    `server_image` is what servers start with until the registry has answered for the first time."""
    pre_puller: PrePullerSettings = Field(default=PrePullerSettings(), alias="prePuller")
    """Which images the nodes for people have before they ask for them, each on the nodes on which a server with it can
    run. If omitted, those of `image_menu`, `server_image`, and those of profiles. See hub-images.md."""
    image_pull_secrets: RegistryAccounts = Field(default={}, alias="imagePullSecrets")
    """Accounts with which nodes pull images of the hub and of user servers, by the host in the images' names, such as
    `ghcr.io`, also where `mirrors.registry` stands in for it. The image menu has its own, `image_menu.user`. See
    hub-images.md."""
    images_to_remove: tuple[ImageName, ...] = Field(default=(), max_length=50)
    """Images that machines for people remove, such as one with a password in it: `HOST/PATH:TAG`, and with the digest
    those of the image menu, which does not offer them any more. A machine keeps one that a container uses until the
    next `up` after its end. See hub-images.md."""
    database_host: HostName | None = None
    """The worker whose disk keeps the hub's sessions. If omitted, the first by name that takes `core` pods. The
    database does not move: name its machine here before you add one whose name comes first. The hub runs there also
    with PostgreSQL, and keeps there what it remembers beside the database."""
    db: AnyDatabase = SqliteSettings()
    """Where accounts, sessions and running servers are remembered. `sqlite-pvc`: on the disk of `database_host`.
    `postgres`: in a PostgreSQL of the site's (docs/hub-database.md)."""
    resources: ResourcesSettings = ResourcesSettings()
    """What the hub asks of its node. If omitted, 100m and 256Mi are kept free for it, and nothing limits it."""
    proxy_resources: ResourcesSettings = ResourcesSettings()
    """What the proxy asks of its node. If omitted, 50m and 128Mi are kept free for it, and nothing limits it."""
    pdb: BudgetSettings = BudgetSettings()
    """The hub's PodDisruptionBudget. It never blocks a drain: a budget that does would not keep the only hub running,
    only its machine from being upgraded."""
    proxy_pdb: BudgetSettings = BudgetSettings()
    """The proxy's PodDisruptionBudget; the same is true of it."""
    scheduling: SchedulingSettings = SchedulingSettings()
    """Which pods come first where a node has no room for all."""
    concurrent_spawn_limit: int = Field(default=64, ge=0, le=10_000, alias="concurrentSpawnLimit")
    """How many servers may be starting at once; 0 is without a limit. Whoever comes when that many are asked for is
    told to try again, with status 429, in half a minute. docs/hub-load.md says why 64."""
    active_server_limit: int | None = Field(default=None, ge=0, alias="activeServerLimit")
    """How many servers there may be; one more is refused with status 429. If omitted or 0, as many as nodes have room
    for."""
    consecutive_failure_limit: int = Field(default=0, ge=0, alias="consecutiveFailureLimit")
    """The hub ends, and is started again, when so many servers one after another have failed to start. If omitted or
    0, it never does: what fails for everybody, such as a file server that is away, is not mended by a restart, and
    while the hub starts again no server can be opened."""
    start_timeout_seconds: int = Field(default=300, ge=30, le=86400)
    """How long a server may take to start. As long is waited for the home directory before, while the file server does
    not answer."""
    cull_idle_seconds: int = Field(default=3600, ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)
    """Stop idle servers after this many seconds: `cull.timeout` by its first name. Give one of the two."""
    cull: CullSettings = CullSettings()
    """When servers are stopped by themselves, and kernels and terminals in them (docs/hub-culling.md)."""
    announcements: Announcements = ()
    """Announcements on the hub's pages, as text. An edit is seen within two minutes; the hub does not restart,
    and people stay logged in."""
    fragments: FragmentsFolder | None = None
    """A folder beside this file with configuration of your own: Python files NN-name.py that load between henhouse's by
    name, and replace what earlier ones set. Each imports `c`, `site` or `secret` from `henhouse_hub`. No secrets."""
    pages: PagesFolder | None = None
    """A folder beside this file with the hub's look: `templates/` over JupyterHub's own by name, `pages/about.html` as
    a page of its own at /hub/about, `static/` at /hub/site/, and the logo, `logo.svg` or .png."""
    pages_repository: PagesRepositorySettings | None = None
    """The same from a git repository, in place of `pages`: an init container fetches one commit of it. The pages are
    kept on the disk of `database_host`, so that the hub starts while the repository is away."""
    template_vars: TemplateVariables = Field(default={}, alias="templateVars")
    """What templates are given by name, among them JupyterHub's `announcement`, `announcement_login`,
    `announcement_spawn`, `announcement_home` and `announcement_logout`. They are HTML, and everyone sees them."""
    extra_env: dict[EnvName, EnvValue] = Field(default={}, alias="extraEnv")
    """Environment variables of the hub by name, as fragments and services read them. They are kept in a Secret."""
    extra_files: dict[FileKey, ExtraFileSettings] = Field(default={}, alias="extraFiles")
    """Files in the hub's container by a name of your choice. They are kept in a Secret."""
    extra_volumes: tuple[VolumeSettings, ...] = Field(default=(), alias="extraVolumes")
    """Volumes of the hub's pod."""
    extra_volume_mounts: tuple[VolumeMountSettings, ...] = Field(default=(), alias="extraVolumeMounts")
    """Where they are mounted in the hub's container."""
    services: dict[ServiceName, ServiceSettings] = Field(default={})
    """JupyterHub's services by name, beside henhouse's own."""
    load_roles: dict[RoleName, RoleSettings] = Field(default={}, alias="loadRoles")
    """JupyterHub's roles by name, beside henhouse's own. `user` and `server` may be changed, in place of what
    JupyterHub lets every person and every server do."""
    network_policy: EgressPolicySettings = Field(default=EgressPolicySettings(), alias="networkPolicy")
    """What the hub may connect to besides, such as a service of the institution's that a fragment asks."""
    singleuser: SingleuserSettings = SingleuserSettings()
    """What every user server has beside its size and its image."""

    @model_validator(mode="after")
    def _pages_are_in_one_place(self) -> Self:
        if self.pages and self.pages_repository:
            raise ValueError("pages and pages_repository are two places of the hub's pages: keep one of them")
        return self

    @property
    def asks(self) -> bool:
        """Whether people choose anything before their server starts."""
        return bool(self.sizes or self.profile_list or self.image_menu)

    @property
    def removed_digests(self) -> tuple[str, ...]:
        """The digests of the menu's repository that the menu does not offer, because machines remove them."""
        if self.image_menu is None:
            return ()
        of_menu = [each for each in self.images_to_remove if repository_of(each) == self.image_menu.repository]
        return tuple(each.partition("@")[2] for each in of_menu)

    @property
    def pull_accounts(self) -> Mapping[str, RegistryAccountSettings]:
        """The accounts with which nodes pull, by the host in the images' names; the menu's is one of them."""
        account = self.image_menu.account if self.image_menu else None
        of_menu = {host_of(self.image_menu.repository): account} if self.image_menu and account else {}
        return {**of_menu, **self.image_pull_secrets}

    @property
    def prepulls(self) -> bool:
        """Whether nodes pull images before people ask for them."""
        return self.pre_puller.continuous.enabled

    @property
    def cull_timeout(self) -> int:
        """After how many seconds an idle server is stopped, where no group has another limit."""
        return self.cull.timeout or self.cull_idle_seconds

    @property
    def shortest_limit(self) -> int:
        """The least seconds after which any server is stopped by itself."""
        of_groups = [seconds for each in self.cull.groups for seconds in (each.timeout, each.max_age)]
        return min(filter(None, (self.cull_timeout, self.cull.max_age, *of_groups)))

    @property
    def new_image_waits(self) -> bool:
        """Whether a new `server_image` is used once the nodes have it. A menu says itself what they have."""
        return self.prepulls and self.pre_puller.hook.enabled and self.image_menu is None

    @property
    def callback_url(self) -> str:
        """Where an identity provider sends people back to: what it is registered with."""
        return f"https://{self.host}{CALLBACK_PATH}"
