"""Directories that people share: whose they are on the file server, and how pods see them."""

import struct
from collections.abc import Iterator, Mapping
from typing import Final

from components.contracts.storage import Dataset
from components.storage.fileserver.texts import Export
from converge.items import Item, Script, Unit
from converge.role import Role
from stacks.settings import ShareSettings
from stacks.settings.storage import Transport

DEFAULT_ACL: Final = "system.posix_acl_default"
"""The extended attribute in which Linux keeps an inherited ACL (acl(5), linux/posix_acl_xattr.h)."""
_VERSION: Final = 2
_USER, _GROUP, _OTHER = 0x01, 0x04, 0x20
_UNDEFINED: Final = 2**32 - 1


def exports(
    shares: Mapping[str, ShareSettings], datasets: Mapping[str, Dataset], transport: Transport
) -> dict[str, Export]:
    """Return the exports of the shares by name, in the order of the datasets."""
    return {
        name: Export(dataset.name, dataset.mountpoint, dataset.mount_unit, shares[name].read_only, transport)
        for name, dataset in datasets.items()
    }


def share_role(name: str, share: ShareSettings, export: Export) -> Role:
    """Return the role in which a share is mounted and belongs to its group. What is in it is left as it is.

    One per share: what is wrong with one concerns neither homes nor the others.
    """
    return Role(f"share-{name}", tuple(_items(name, share, export)))


def _items(name: str, share: ShareSettings, export: Export) -> Iterator[Item]:
    group = share.group(name)
    yield Unit(export.mount_unit)
    yield _owned(export.mountpoint, mode_of(share), group or 0)
    if share.read_only:
        yield _not_inherited(export.mountpoint)
    else:
        yield _inherited(export.mountpoint, default_acl(share))


def _owned(path: str, mode: str, group: int) -> Script:
    """Return the item by which a directory is root's and a group's, by number: no machine has a name for it."""
    return Script(
        f"owner of {path}",
        check=f"""\
found=$(stat --format='%04a %u %g' {path})
echo "$found"
[[ $found == '{mode} 0 {group}' ]]""",
        # With fewer digits chmod(1) leaves a directory's setgid as it is.
        apply=f"chown 0:{group} {path}\nchmod 0{mode} {path}",
    )


def mode_of(share: ShareSettings) -> str:
    """Return the mode of a share's directory, in octal.

    A file there has the directory's group (setgid). Others can read where people have the directory who are not in the
    group; everywhere else the mode keeps others out, whatever is mounted.
    """
    if share.read_only:
        return "0750" if share.has_group else "0755"
    special = "3" if share.own_files else "2"
    return f"{special}77{_for_others(share)}"


def _for_others(share: ShareSettings) -> int:
    return 0 if share.groups and not share.write_groups else 5


def default_acl(share: ShareSettings) -> str:
    """Return in hexadecimal the ACL that files in a share inherit; empty for none.

    It stands in for the umask, 022 in every image, by which no member could change what another has written: NFS 4.2
    hands the umask over (RFC 8275), and the server's file system applies the ACL instead (umask(2)).
    """
    if share.own_files:
        return ""
    return _acl(_for_others(share))


def _acl(others: int) -> str:
    entries = ((_USER, 7), (_GROUP, 7), (_OTHER, others))
    return (
        struct.pack("<I", _VERSION) + b"".join(struct.pack("<HHI", tag, mode, _UNDEFINED) for tag, mode in entries)
    ).hex()


def _inherited(path: str, acl: str) -> Script:
    """Return the item by which files inherit this ACL. Python is there, unlike setfacl(1)."""
    write = f"import os; os.setxattr('{path}', '{DEFAULT_ACL}', bytes.fromhex('{acl}'))"
    return Script(
        f"what files inherit in {path}",
        check=f"{_found(path)}\n[[ $found == '{acl}' ]]",
        apply=f'python3 -c "{write}"' if acl else _removed(path),
    )


def _not_inherited(path: str) -> Script:
    """Return the item by which a share that is only read has none of the ACLs of one that is written.

    Any other is an administrator's.
    """
    none_of_ours = " && ".join(f"$found != '{_acl(others)}'" for others in (0, 5))
    return Script(
        f"what files inherited in {path}",
        check=f"{_found(path)}\n[[ {none_of_ours} ]]",
        apply=_removed(path),
    )


def _found(path: str) -> str:
    read = f"import os; print(os.getxattr('{path}', '{DEFAULT_ACL}').hex())"
    return f"""\
found=$(python3 -c "{read}" 2>/dev/null) || true
echo "${{found:-nothing}}\""""


def _removed(path: str) -> str:
    remove = f"import os; '{DEFAULT_ACL}' in os.listxattr('{path}') and os.removexattr('{path}', '{DEFAULT_ACL}')"
    return f'python3 -c "{remove}"'
