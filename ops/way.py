"""The way to a stack's machines and cluster: through the jump of its settings, if it has one."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from converge import tunnel
from converge.connection import JumpError
from converge.stack import StackClient, StateError
from converge.tunnel import Way
from stacks.file import setting
from stacks.load import parse_settings, tree_of
from stacks.problems import SettingsError

FAILURES: Final = (StateError, SettingsError, JumpError, tunnel.TunnelError)
"""What `opened` raises when it finds no way; each says why."""


def of_stack(stack: StackClient) -> Way | None:
    """Return the way, None for a stack that is reached directly.

    The stack's file says which without its passphrase; only one that has a jump is decrypted, for the key.
    """
    return tunnel.way(parse_settings(tree_of(stack.config()))) if has_jump(stack.name) else None


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
    access = setting(stack, "access")
    return isinstance(access, Mapping) and access.get("jump") is not None


def _complain(text: str) -> None:
    print(text, file=sys.stderr)
