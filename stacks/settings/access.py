"""How the program logs in to the machines."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, SecretStr

from stacks.settings.types import HostKey, HostName, Model, spelled

Login = Annotated[
    str,
    spelled(
        r"^[a-z_][a-z0-9_-]{0,31}$", "a user of a machine: up to 32 small letters, digits, _ and hyphens, such as root"
    ),
]
"""A user of a machine, as useradd(8) accepts it."""

Reached = Annotated[
    str,
    spelled(
        r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$",
        "an IPv4 address or a name, such as 192.0.2.1 or bastion.example.org",
    ),
]
"""An IPv4 address or a name of the DNS."""

SSH_PORT: Final = 22
ROOT: Final = "root"


class JumpSettings(Model):
    """The machine through whose SSH server the others are reached: one of `hosts`, or one outside the site."""

    machine: HostName | None = None
    """A machine of `hosts`. Its host key and `access.user` are the site's; it is reached itself without a jump."""
    host: Reached | None = None
    """Address or name at which the jump is reached from outside. If omitted, the `address` of `machine`."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """TCP port at which it is reached from outside. If omitted, `access.port` for a `machine`, otherwise 22."""
    user: Login | None = None
    """The login there; only of a jump that is not a `machine`. If omitted, `access.user`. It needs no rights there
    but to forward connections."""
    host_key: HostKey | None = None
    """The public ed25519 key that its SSH server must show; required unless `machine` is given."""
    tunnel_port: int = Field(default=4545, ge=1024, le=65535)
    """Loopback port of the administrator's computer on which the tunnel to the Kubernetes API is open (docs/access.md).
    Two sites that one person works on at the same time need two."""


@dataclass(frozen=True)
class Jump:
    """The jump, as far as the settings say it anywhere."""

    name: str
    """Name of the machine, or the host if it is none of the site's."""
    host: str
    port: int
    user: str
    host_key: str
    tunnel_port: int
    machine: str | None = None
    """The machine of the site that it is."""

    @property
    def proxy_url(self) -> str:
        """Where the tunnel is open, as a kubeconfig's `proxy-url` has it."""
        return f"socks5://127.0.0.1:{self.tunnel_port}"


def _named(value: Any) -> Any:
    """Take the name of a machine for a jump that is reached at the machine's address."""
    return {"machine": value} if isinstance(value, str) else value


AnyJump = Annotated[JumpSettings, BeforeValidator(_named, json_schema_input_type=HostName | JumpSettings)]
"""`jump: rooster` is short for `jump: {machine: rooster}`."""


class AccessSettings(Model):
    """How the program logs in to the machines."""

    user: Login = ROOT
    """The login on every machine. Another than root must be in sudoers without a password (docs/access.md): roles
    change the whole machine."""
    port: int = Field(default=SSH_PORT, ge=1, le=65535)
    """TCP port of the SSH servers."""
    private_key: Annotated[SecretStr, Field(min_length=1)] | None = None
    """OpenSSH private key. If omitted, the program uses the SSH agent of the person who runs it, which keeps the
    key out of the state."""
    jump: AnyJump | None = None
    """The machine through which all others are reached, from wherever the program is run. If omitted, they are reached
    directly."""
