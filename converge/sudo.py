"""Runs a role's script as root for a login that is not: sudo without a password (sudo(8), sudoers(5)).

The script goes to sudo's standard input, and what the login was given on its own follows it there. So neither is an
argument of a process or in sudo's log, which has only the same few words for every role. Of the login's environment,
SSH_CONNECTION alone is passed on: the packet filter's role asks it by which port the program came.
"""

import shlex
from pathlib import Path
from typing import Final

_WRAPPER: Final = Path(__file__).with_suffix(".sh").read_text()
_END: Final = "HENHOUSE_SCRIPT"


def by_sudo(script: str, machine: str, user: str, *, secrets: bool) -> str:
    """Return a script that any POSIX login shell of `user` runs as `script` would be run by root's, arguments included.

    It refuses with a sentence of its own when sudo does; with `secrets`, also when sudo would record standard input.
    """
    if f"\n{_END}\n" in script:
        raise ValueError(f"{machine}: a line of the script is {_END}")
    body = script.rstrip("\n") + "\n"
    values = {
        "who": shlex.quote(f"henhouse: {machine}: {user}"),
        "user": shlex.quote(user),
        "secrets": "yes" if secrets else "",
        "bytes": str(len(body.encode())),
    }
    head = "".join(f"{name}={value}\n" for name, value in values.items())
    wrapper = "".join(f"{line}\n" for line in _WRAPPER.splitlines() if not line.startswith("#"))
    return f"# The role runs as root, by {user}'s sudo.\n{head}{wrapper}".replace("@SCRIPT@\n", body)
