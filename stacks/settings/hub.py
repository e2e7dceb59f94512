"""JupyterHub."""

from typing import Annotated

from pydantic import Field, StringConstraints

from programs.homes.names import LOGIN
from stacks.settings.logins import AnyLogin, NativeLoginSettings
from stacks.settings.types import ByteSize, DomainName, HostName, ImageName, Model
from stacks.versions import SITE

UserName = Annotated[str, StringConstraints(pattern=f"^{LOGIN}$")]
KeyName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]


class SizeSettings(Model):
    """What a person's server may use. Names and meanings are those of KubeSpawner."""

    cpu_guarantee: float = Field(default=0.1, ge=0)
    """Cores reserved on the node."""
    cpu_limit: float = Field(default=2, gt=0)
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
    keys: tuple[KeyName, ...] = Field(default=("first",), min_length=1)
    """Names of the keys that encrypt logins at rest, newest first: JupyterHub encrypts with the first and reads with
    all. To rotate, put a new name in front; drop the last when every stored login is newer than the key before it."""
    image: ImageName = f"quay.io/jupyterhub/k8s-hub:{SITE['k8s_hub']}"
    """The hub's image."""
    proxy_image: ImageName = f"quay.io/jupyterhub/configurable-http-proxy:{SITE['configurable_http_proxy']}"
    """The proxy's image."""
    server_image: ImageName
    """The image of user servers."""
    size: SizeSettings = SizeSettings()
    """What a person's server may use."""
    database_host: HostName | None = None
    """The worker whose disk keeps the hub's sessions. If omitted, the first by name that takes `core` pods. The
    database does not move: name its machine here before you add one whose name comes first."""
    start_timeout_seconds: int = Field(default=300, ge=30)
    """How long a server may take to start."""
    cull_idle_seconds: int = Field(default=3600, ge=60)
    """Stop idle servers after this many seconds."""

    @property
    def callback_url(self) -> str:
        """Where an identity provider sends people back to: what it is registered with."""
        return f"https://{self.host}/hub/oauth_callback"
