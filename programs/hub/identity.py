"""Names for the numeric ids that a person's server runs with; shipped to the hub beside its configuration.

A home's owner is a number that no image knows. Without a line in passwd(5), `whoami`, `ssh` (so git over ssh) and
Python's `getpass` fail in every notebook.
"""

from collections.abc import Iterable, Mapping

USERS_GROUP = 100
"""Group `users` of Debian, and the one that may write the environments of Jupyter's images (`conda install`)."""

_SYSTEM_USERS = (
    *("root:x:0:0:root:/root:/bin/bash", "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin"),
    *("bin:x:2:2:bin:/bin:/usr/sbin/nologin", "sys:x:3:3:sys:/dev:/usr/sbin/nologin"),
    *("sync:x:4:65534:sync:/bin:/bin/sync", "games:x:5:60:games:/usr/games:/usr/sbin/nologin"),
    *("man:x:6:12:man:/var/cache/man:/usr/sbin/nologin", "lp:x:7:7:lp:/var/spool/lpd:/usr/sbin/nologin"),
    *("mail:x:8:8:mail:/var/mail:/usr/sbin/nologin", "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin"),
    *("backup:x:34:34:backup:/var/backups:/usr/sbin/nologin", "_apt:x:42:65534::/nonexistent:/usr/sbin/nologin"),
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
)
_SYSTEM_GROUPS = (
    *("root:x:0:", "daemon:x:1:", "bin:x:2:", "sys:x:3:", "adm:x:4:", "tty:x:5:", "disk:x:6:", "lp:x:7:", "mail:x:8:"),
    *("man:x:12:", "www-data:x:33:", "backup:x:34:", "shadow:x:42:", "utmp:x:43:", "staff:x:50:", "games:x:60:"),
    "nogroup:x:65534:",
)
"""Debian's and Ubuntu's own (base-passwd), which images are made of."""


JOVYAN = f"jovyan:x:1000:{USERS_GROUP}::/home/jovyan:/bin/bash\n"
"""The user of Jupyter's images. Their start.sh asks for the number of that name, and ends without a word, and with it
the server, where the system does not know it."""


def passwd_file(user: str, uid: int, gid: int, home: str) -> str:
    """Return passwd(5) with a line for this person before those of the image's own user and of the system.

    No name is there twice, and no id but that of the image's user where the person has it: the first line names it.
    """
    own = _file(f"{user}:x:{uid}:{gid}::{home}:/bin/bash", _SYSTEM_USERS)
    return own if user == JOVYAN.partition(":")[0] else own + JOVYAN


def group_file(user: str, gid: int, groups: Mapping[str, int] | None = None) -> str:
    """Return group(5): the person's own group, `users` and `groups` with the person in them, and the system's."""
    shared = (f"{name}:x:{number}:{user}" for name, number in group_names(user, groups or {}).items())
    return _file(f"{user}:x:{gid}:", (f"users:x:{USERS_GROUP}:{user}", *shared, *_SYSTEM_GROUPS))


def group_names(user: str, groups: Mapping[str, int]) -> dict[str, int]:
    """Return the numbers of a person's groups by the names that they have in the server.

    A group of the provider's that has a name of the system's gets an underscore behind it, which no name there has.
    """
    taken = {user, "users", *(line.partition(":")[0] for line in _SYSTEM_GROUPS)}
    return {f"{name}_" if name in taken else name: number for name, number in groups.items()}


def _file(own: str, others: Iterable[str]) -> str:
    name, _, number = own.split(":")[:3]
    kept = (line for line in others if line.split(":")[0] != name and line.split(":")[2] != number)
    return "".join(f"{line}\n" for line in (own, *kept))
