"""The way to a stack's machines and cluster: through the jump of its settings, if it has one."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import yaml

from components.contracts.machines import SshTarget
from converge import tunnel
from converge.connection import JumpError
from converge.stack import StackClient, StateError
from stacks.load import NAMESPACE, parse_settings, tree_of
from stacks.passphrase import settings_file
from stacks.problems import SettingsError

FAILURES: Final = (StateError, SettingsError, JumpError, tunnel.TunnelError)
"""What `opened` raises when there is no way; each says why."""


@dataclass(frozen=True)
class Way:
    """A jump, and the port on which the tunnel through it is open."""

    jump: SshTarget
    port: int


def of_stack(stack: StackClient) -> Way | None:
    """Return the way, None for a stack that is reached directly.

    The stack's file says which without its passphrase; only one that has a jump is decrypted, for the key.
    """
    if not has_jump(stack.name):
        return None
    site = parse_settings(tree_of(stack.config()))
    if site.jump is None:
        return None
    return Way(SshTarget.of_jump(site.jump, site.access), site.jump.tunnel_port)


@asynccontextmanager
async def opened(way: Way | None) -> AsyncIterator[None]:
    """Hold the tunnel open while the block runs, if there has to be one."""
    if way is None:
        yield
        return
    async with tunnel.opened(way.jump, way.port, say=_complain):
        yield


def has_jump(stack: str) -> bool:
    """Whether the stack's file names a jump."""
    try:
        written = yaml.safe_load(settings_file(stack).read_text())
    except (OSError, yaml.YAMLError):  # the engine says what is wrong with the file
        return False
    config = written.get("config") if isinstance(written, Mapping) else None
    access = config.get(f"{NAMESPACE}:access") if isinstance(config, Mapping) else None
    return isinstance(access, Mapping) and access.get("jump") is not None


def _complain(text: str) -> None:
    print(text, file=sys.stderr)
