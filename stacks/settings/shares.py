"""Directories of the file server that people share."""

import hashlib
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from stacks.settings.amounts import ByteSize
from stacks.settings.types import GroupName, Model, spelled

ShareName = Annotated[
    str,
    spelled(
        r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$",
        "up to 40 small letters, digits and hyphens, a letter first and no hyphen at the end, such as datasets",
    ),
]
"""A dataset of ZFS, a directory, and part of the names of Kubernetes objects: a label of RFC 1123."""
SharePath = Annotated[
    str,
    spelled(
        r"^(/[A-Za-z0-9][A-Za-z0-9._-]*)+$",
        "an absolute path of letters, digits, dots, _ and hyphens, such as /project",
        max_length=200,
    ),
]
"""An absolute path without anything that a shell, a URL or KubeSpawner reads otherwise."""

SHARE_GIDS: Final = range(2**31 - 2**20, 2**31 - 1)
"""Group ids that follow from the names of shares: the last that Kubernetes takes, where neither people nor
organizations are (programs.homes.names)."""


class ShareSettings(Model):
    """A directory that people share: one dataset of the pool, one NFS export, one volume of the cluster."""

    mount_path: SharePath | None = None
    """Where the directory is in user servers. If omitted, `/<name>`."""
    access: Literal["read-only", "read-write"] = "read-only"
    """Whether people can write there. Administrators fill a read-only directory on the file server, as root, in
    `/<pool>/<name>`."""
    groups: tuple[GroupName, ...] = Field(default=(), min_length=1)
    """Groups of the hub whose members have the directory in their servers: groups of the identity provider, allowed
    organizations of GitHub, teams with `organization_groups` of the login, and those that administrators make on the
    page Admin. If omitted, everyone has it."""
    write_groups: tuple[GroupName, ...] = Field(default=(), min_length=1)
    """Groups whose members can write, when not everyone who has the directory can. They have it, too, whatever `groups`
    says."""
    gid: int | None = Field(default=None, ge=1000, le=2**31 - 1)
    """Numeric group that owns the directory, and that members have in their servers. If omitted, it follows from the
    name. Give the number that files of an older system have, or an organization's (2³⁰ plus its id at GitHub)."""
    quota: ByteSize | None = None
    """How much its files may take, without snapshots (`refquota` in zfsprops(7)). If omitted, the whole pool."""
    own_files: bool = False
    """Whether only its owner can change, rename or delete a file, as in `/tmp`. By default everyone who can write in
    the directory can change everything in it."""

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        if self.access == "read-only" and self.write_groups:
            raise ValueError("write_groups need access: read-write")
        if self.access == "read-only" and self.own_files:
            raise ValueError("own_files needs access: read-write")
        return self

    @model_validator(mode="after")
    def _has_a_group_to_number(self) -> Self:
        if self.gid is not None and not self.has_group:
            raise ValueError("gid needs access: read-write, or groups: everyone can read this directory")
        return self

    @property
    def read_only(self) -> bool:
        """Whether no server can write there."""
        return self.access == "read-only"

    @property
    def has_group(self) -> bool:
        """Whether a group owns the directory; otherwise root's, and everyone reads it."""
        return not self.read_only or bool(self.groups)

    def path(self, name: str) -> str:
        """Return where the share of this name is in user servers."""
        return self.mount_path or f"/{name}"

    def group(self, name: str) -> int | None:
        """Return the number of the group that owns the share of this name, or None where none does."""
        if not self.has_group:
            return None
        return self.gid if self.gid is not None else gid_of(name)


def gid_of(name: str) -> int:
    """Return the group id that follows from a share's name alone: it stays whatever other shares come and go."""
    digest = hashlib.sha256(f"henhouse share {name}".encode()).digest()
    return SHARE_GIDS[int.from_bytes(digest[:8]) % len(SHARE_GIDS)]
