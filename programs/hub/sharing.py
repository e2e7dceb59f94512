"""Which shared directories a person's server has; decided by the hub at each start, whatever was asked for.

Shipped to the hub beside its configuration.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

SHARED: Final = range(2**30, 2**31)
"""Numbers of groups that people share: of GitHub's organizations (programs.homes.names), and those that follow from the
names of shares (stacks.settings.shares)."""
MOST_GROUPS: Final = 15
"""NFS carries 16 groups of a person (RFC 5531, AUTH_SYS); one is `users`."""

Share = Mapping[str, Any]
"""What the site says of a share: `name`, `claim`, `path`, `read_only`, `groups`, `write_groups` and `gid`."""


def share_directories(spawner: Any, shares: Sequence[Share], organizations: Mapping[str, int]) -> dict[str, int]:
    """Put the shares of the spawner's owner into the pod that it will make; return the owner's groups by name.

    `organizations` are the numbered groups that the login knows. The owner's groups in the hub count, too, as they are
    now: what an earlier start has mounted is taken out.
    """
    groups = {group.name for group in spawner.user.groups}
    owners = [share for share in shares if has(share, groups, organizations)]
    ours = {_volume(share) for share in shares}
    spawner.volumes = [
        *(each for each in spawner.volumes if each["name"] not in ours),
        *({"name": _volume(share), "persistentVolumeClaim": _claim(share)} for share in owners),
    ]
    spawner.volume_mounts = [
        *(each for each in spawner.volume_mounts if each["name"] not in ours),
        *(
            {
                "name": _volume(share),
                "mountPath": share["path"],
                "readOnly": not writes(share, groups, organizations),
            }
            for share in owners
        ),
    ]
    numbered = [share for share in owners if share["read_only"] or writes(share, groups, organizations)]
    return numbers(numbered, organizations)


def has(share: Share, groups: Collection[str], organizations: Collection[str]) -> bool:
    """Return whether a person in these groups has the share."""
    return not share["groups"] or is_in([*share["groups"], *share["write_groups"]], groups, organizations)


def writes(share: Share, groups: Collection[str], organizations: Collection[str]) -> bool:
    """Return whether a person in these groups, who has the share, can write there."""
    if share["read_only"]:
        return False
    return not share["write_groups"] or is_in(share["write_groups"], groups, organizations)


def is_in(wanted: Sequence[str], groups: Collection[str], organizations: Collection[str]) -> bool:
    """Return whether a person is in one of the wanted groups. Organizations are in lower case, as GitHub has them."""
    return any(each in groups or each.lower() in organizations for each in wanted)


def numbers(shares: Sequence[Share], organizations: Mapping[str, int]) -> dict[str, int]:
    """Return the numeric groups of a person with these shares and organizations, as many as NFS carries.

    Groups of shares come first: a person can write in a share only with its number. A group has the name of its
    organization or of its share.
    """
    names = {gid: name for name, gid in organizations.items()}
    found: dict[str, int] = {}
    for share in shares:
        gid = share["gid"]
        if gid is not None and gid not in found.values():
            name = share["name"]
            # No name of an organization has an underscore.
            found[names.get(gid) or (f"{name}_share" if name in organizations else name)] = gid
    others = [(name, gid) for name, gid in organizations.items() if name not in found]
    return {**found, **dict(others[: MOST_GROUPS - len(found)])}


def own_group(uid: int, gid: int, shares: Sequence[Share]) -> int:
    """Return the group that a server runs with, where `gid` is that of the home.

    A home may have any group that its owner has, or had (chgrp(1)): one that people share would stay theirs for ever.
    """
    return uid if gid in SHARED or gid in {share["gid"] for share in shares} else gid


def _volume(share: Share) -> str:
    return f"share-{share['name']}"


def _claim(share: Share) -> dict[str, Any]:
    # Not where only this person may not write: the node would mount one directory in two ways.
    return {"claimName": share["claim"], **({"readOnly": True} if share["read_only"] else {})}
