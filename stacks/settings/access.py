"""How the program logs in to the machines."""

from pydantic import Field, SecretStr

from stacks.settings.types import Model


class AccessSettings(Model):
    """How the program logs in to the machines."""

    user: str = "root"
    """The login. It must be root: roles change the whole machine."""
    port: int = Field(default=22, ge=1, le=65535)
    """TCP port of the SSH servers."""
    private_key: SecretStr | None = None
    """OpenSSH private key. If omitted, the program uses the SSH agent of the person who runs it, which keeps the
    key out of the state."""
